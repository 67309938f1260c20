-- For the extension pg_cron, in the database that cron.database_name names.
-- In any other database, use cron.schedule_in_database. The jobs run as the role that schedules them:
-- use atlas_cron. To stop one: select cron.unschedule('flag_seasonal');
select cron.schedule('stage_autoroll_eom_open', '1 * * * *', $$call jobs.run_in_slices('stage_autoroll_eom_open')$$);
select cron.schedule('flag_autoclear_advisory_due', '3 * * * *', $$call jobs.run_in_slices('flag_autoclear_advisory_due')$$);
select cron.schedule('stage_stuck_detector', '5 * * * *', $$call jobs.run_in_slices('stage_stuck_detector')$$);
select cron.schedule('flag_sales_tax_due', '7 * * * *', $$call jobs.run_in_slices('flag_sales_tax_due')$$);
select cron.schedule('flag_seasonal', '9 * * * *', $$call jobs.run_in_slices('flag_seasonal')$$);
select cron.schedule('covers_end', '11 * * * *', $$call jobs.run_in_slices('covers_end')$$);
select cron.schedule('trial', '13 5 * * *', $$select ops.trial()$$);

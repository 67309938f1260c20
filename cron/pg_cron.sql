-- For a server with the extension pg_cron, in the database that cron.database_name names; else use
-- cron.schedule_in_database with this one's name. The jobs run as the role that schedules them: use atlas_cron.
-- pg_cron's clock is UTC by default; what is due when is in the firm's time zone all the same.
select cron.schedule('stage_autoroll_eom_open', '1 * * * *', $$call jobs.run_in_slices('stage_autoroll_eom_open')$$);
select cron.schedule('flag_autoclear_advisory_due', '11 * * * *', $$call jobs.run_in_slices('flag_autoclear_advisory_due')$$);
select cron.schedule('stage_stuck_detector', '1 * * * *', $$call jobs.run_in_slices('stage_stuck_detector')$$);
select cron.schedule('flag_sales_tax_due', '13 * * * *', $$call jobs.run_in_slices('flag_sales_tax_due')$$);
select cron.schedule('flag_seasonal', '15 * * * *', $$call jobs.run_in_slices('flag_seasonal')$$);

-- To stop: select cron.unschedule('flag_seasonal'); and so on.

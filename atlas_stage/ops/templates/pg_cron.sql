-- For the extension pg_cron, in the database that cron.database_name names.
-- In any other database, use cron.schedule_in_database. The jobs run as the role that schedules them:
-- use atlas_cron. To stop one: select cron.unschedule('flag_seasonal');
$jobs
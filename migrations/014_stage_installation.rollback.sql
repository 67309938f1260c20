-- The history rows stay: applying this again adds only those that are missing.
drop table public.stage_installation;
alter table public.clients drop constraint clients_version_recorded_fkey;

delete from public.atlas_migrations
where id = '014_stage_installation';

-- The stored logic reads these tables, so it goes too; the next deploy makes both again.
drop schema if exists jobs, api, rules cascade;

delete from public.agent_permissions
where granted_by = 'system:install' and actor_id like 'system:cron:%';

drop table public.job_runs, public.idempotency_keys, public.actor_logins;

delete from public.stage_deploys where part = 'stored_logic';
delete from public.atlas_migrations where id = '012_stage_records';

revoke trigger on public.agent_permissions from atlas_owner;
drop index public.stage_history_run_idx;
delete from public.atlas_migrations
where id = '018_runs_taken_back';

-- depends: 017_installation

-- What a run changed, to take it back as a whole.
-- squawk-ignore require-concurrent-index-creation
create index stage_history_run_idx on public.stage_history (((payload ->> 'run_id')::bigint), client_id, version)
  where channel = 'cron' and payload ? 'run_id';

grant trigger on public.agent_permissions to atlas_owner;

insert into public.atlas_migrations (id, note)
values ('018_runs_taken_back', 'client stage: the rows of a run by index, an admin that remains');

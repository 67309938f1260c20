-- The stored logic uses these, so it goes too; the next deploy makes both again.
drop schema if exists jobs, api, rules cascade;

drop index
  public.clients_stuck_idx,
  public.clients_not_stuck_idx,
  public.stage_history_job_period_uniq,
  public.job_runs_running_idx;

alter table public.job_runs drop column attempts;
comment on column public.job_runs.due_at is null;
comment on column public.job_runs.as_of is null;
comment on column public.job_runs.counts is null;

revoke select on public.atlas_migrations from atlas_owner;
delete from public.stage_deploys where part = 'stored_logic';
delete from public.atlas_migrations where id = '013_job_indexes';

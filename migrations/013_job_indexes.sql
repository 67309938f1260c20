-- depends: 012_stage_records

alter table public.job_runs
  add column attempts integer not null default 1,
  add constraint job_runs_attempts_check check (attempts > 0);

comment on column public.job_runs.due_at is
  'The occurrence. Of a gap of hourly or daily runs, the first one missed; counts.until is the last.';
comment on column public.job_runs.as_of is 'The moment that the run took as now.';
comment on column public.job_runs.counts is
  'moved, flagged, cleared: of all attempts; unchanged, skipped (by reason): of the last; errors: the first 20.';
comment on column public.job_runs.attempts is 'How often it was begun; more than once after a crash or a failure.';

-- Who is at work, or crashed: never more than a handful.
create index job_runs_running_idx on public.job_runs (job) where outcome = 'running';

-- The jobs' key: what a job did to a client for a period, it did once, whatever happens to the ledger.
create unique index stage_history_job_period_uniq on public.stage_history (actor_id, (payload ->> 'period'), client_id)
  where channel = 'cron' and payload ? 'period';

-- The stuck detector looks at these every hour: who may become stuck, and who may cease to be.
create index clients_not_stuck_idx on public.clients (stage, stage_entered_at)
  where active and 'stuck' <> all(flags);
create index clients_stuck_idx on public.clients (active, stage, stage_entered_at)
  where 'stuck' = any(flags);

-- When the jobs were installed: one that never ran is overdue from then on.
grant select on public.atlas_migrations to atlas_owner;

insert into public.atlas_migrations (id, note)
values ('013_job_indexes', 'client stage: what the jobs need to be quick and to repeat nothing');

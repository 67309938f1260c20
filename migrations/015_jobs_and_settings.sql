-- depends: 014_one_path_for_every_change

-- Whoever is at a job's work holds its row: a lock that only the stored logic reaches, and that goes with the
-- transaction.
create table public.job_locks (
  job         text        not null,
  started_at  timestamptz,
  constraint job_locks_pkey primary key (job)
);
comment on table public.job_locks is 'One row a job; each transaction of a run has it locked.';
comment on column public.job_locks.started_at is 'When a scheduler last started the job, whether it was due or not.';

insert into public.job_locks (job) values
  ('stage_autoroll_eom_open'),
  ('flag_autoclear_advisory_due'),
  ('stage_stuck_detector'),
  ('flag_sales_tax_due'),
  ('flag_seasonal');
grant select, insert, update on public.job_locks to atlas_owner;

alter table public.job_runs
  add column backend_pid integer,
  add column seen_at     timestamptz;
comment on column public.job_runs.backend_pid is 'The server process that is at the work, or was.';
comment on column public.job_runs.seen_at is 'When it last gave a sign of life, between two transactions of the work.';
comment on column public.job_runs.counts is
  'moved, flagged, cleared: of all attempts. unchanged, skipped (by the rule that forbids it), failed, errors (of the
first 20), still_closing: of the last.';

-- A setting that makes no sense is refused when it is written. What a CHECK cannot see, the trigger
-- rules.check_setting does.
grant trigger on public.stage_settings, public.stages, public.stage_flags, public.stage_seasons to atlas_owner;
alter table public.stage_settings
  add constraint stage_settings_time_zone_name_check check (
    -- a place, or UTC: an offset knows nothing of summer time, and posix/ and right/ are other clocks
    time_zone ~ '^([A-Z][A-Za-z]+(/[A-Z][A-Za-z_-]+)+|UTC)$' and time_zone !~ '^(Etc|SystemV)/'
  ),
  add constraint stage_settings_eom_open_at_check check (eom_open_at < '24:00');

alter table public.stages
  add constraint stages_max_days_limit_check check (max_days <= 3650),
  add constraint stages_waiting_flags_check check (
    array_position(waiting_flags, null) is null
    and 'stuck' <> all(waiting_flags)  -- who is stuck would not be stuck for being stuck
  );

alter table public.stage_flags
  add constraint stage_flags_flag_check check (flag ~ '^[a-z][a-z0-9_]{0,59}$'),
  add constraint stage_flags_description_check check (description ~ '[^[:space:]]' and length(description) <= 200),
  add constraint stage_flags_set_by_words_check check (
    array_to_string(set_by, ' ', '?') ~ '^[a-z][a-z0-9_]*( [a-z][a-z0-9_]*)*$'
  );

alter table public.stage_seasons
  add constraint stage_seasons_flag_check check (flag <> 'stuck');

alter table public.business_holidays
  add constraint business_holidays_day_check check (day between '2000-01-01' and '2199-12-31'),
  add constraint business_holidays_name_check check (name ~ '[^[:space:]]' and length(name) <= 200);

insert into public.atlas_migrations (id, note)
values ('015_jobs_and_settings', 'client stage: whose turn a job is, and settings that make sense');

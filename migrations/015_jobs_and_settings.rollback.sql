-- The stored logic uses these, so it goes too; the next deploy makes both again.
drop schema if exists ops, jobs, api, rules cascade;

revoke trigger on public.stage_settings, public.stages, public.stage_flags, public.stage_seasons from atlas_owner;
alter table public.business_holidays
  drop constraint business_holidays_day_check,
  drop constraint business_holidays_name_check;
alter table public.stage_seasons drop constraint stage_seasons_flag_check;
alter table public.stage_flags
  drop constraint stage_flags_flag_check,
  drop constraint stage_flags_description_check,
  drop constraint stage_flags_set_by_words_check;
alter table public.stages
  drop constraint stages_waiting_flags_check,
  drop constraint stages_max_days_limit_check;
alter table public.stage_settings
  drop constraint stage_settings_time_zone_name_check,
  drop constraint stage_settings_eom_open_at_check;

alter table public.job_runs
  drop column backend_pid,
  drop column seen_at;
comment on column public.job_runs.counts is
  'moved, flagged, cleared: of all attempts; unchanged, skipped (by reason): of the last; errors: the first 20.';
drop table public.job_locks;

delete from public.stage_deploys where part = 'stored_logic';
delete from public.atlas_migrations where id = '015_jobs_and_settings';

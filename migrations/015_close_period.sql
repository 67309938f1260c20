-- depends: 014_stage_installation

-- The month of a close is a stored fact: on the client while the close lasts, and on each history row of the close.
-- Two constraints hold it to the stage. sql/grants.sql adds them, because they need
-- the triggers that set it.
alter table public.clients
  add column close_period text,
  add constraint clients_close_period_check check (close_period ~ '^[0-9]{4}-(0[1-9]|1[0-2])$');
comment on column public.clients.close_period is
  'The month that is being closed, YYYY-MM; null: the client is in no close. The database sets it.';

alter table public.stage_history
  add column close_period text,
  add column batch uuid,
  add constraint stage_history_close_period_check check (close_period ~ '^[0-9]{4}-(0[1-9]|1[0-2])$');
comment on column public.stage_history.close_period is
  'The month of the close that this move belongs to, YYYY-MM; null: it belongs to no close.';
comment on column public.stage_history.batch is
  'The call of set_stages, set_flags or update_clients that made this change; null: it was made alone.';

-- The moves of a close, in order. The three indexes that guessed them go.
create index stage_history_close_period_idx on public.stage_history (close_period, client_id, version)
  where close_period is not null;
drop index public.stage_history_close_idx;
drop index public.stage_history_close_month_idx;
drop index public.stage_history_opening_idx;
create index stage_history_batch_idx on public.stage_history (batch, client_id, version) where batch is not null;
-- Clients by when they were added.
create index stage_history_added_idx on public.stage_history (occurred_at, client_id) where version = 0;
create index clients_close_period_idx on public.clients (close_period, id) where close_period is not null;

-- A run that was rolled back as a whole frees its period, so a job can change a client a second time in a period.
drop index public.stage_history_job_period_uniq;
create index stage_history_job_period_idx on public.stage_history (actor_id, (payload ->> 'period'), client_id)
  where channel = 'cron' and payload ? 'period';

alter table public.job_runs
  -- squawk-ignore ban-drop-constraint
  drop constraint job_runs_outcome_check,
  add constraint job_runs_outcome_check check (outcome in (
    'running',     -- running, or crashed: jobs.is_running tells
    'done',
    'failed',      -- error has the reason
    'skipped',     -- missed for longer than the catch-up days
    'rolled_back'  -- by rollback_run: the next start does it again
  ));

alter table public.stage_settings
  add column close_due_day integer not null default 10,
  add column undo_minutes integer not null default 10,
  add constraint stage_settings_close_due_day_check check (close_due_day between 1 and 15),
  add constraint stage_settings_undo_minutes_check check (undo_minutes between 0 and 1440);
comment on column public.stage_settings.close_due_day is
  'A close is late after this business day of the next month.';
comment on column public.stage_settings.undo_minutes is
  'How many minutes an actor can undo its own change; 0: not at all.';

do $$
begin
  if to_regtype('rules.client_state') is not null then
    alter type rules.client_state add attribute close_period text cascade;
    alter type rules.change_context add attribute batch uuid cascade;
    alter type rules.item add attribute close_period text cascade;
    alter type rules.facts alter attribute handed_over_by set data type text[] cascade;
  end if;
end
$$;

insert into public.atlas_migrations (id, note)
values ('015_close_period', 'client stage: the month of a close is a fact; batches; undo');

-- depends: 022_history_chained

-- How long is kept what need not be kept for good.
alter table public.stage_settings
  add column keep_keys interval not null default '90 days',
  add column keep_runs interval not null default '2 years',
  add constraint stage_settings_keep_keys_check check (keep_keys >= '1 day'),
  add constraint stage_settings_keep_runs_check check (keep_runs >= '60 days');
comment on column public.stage_settings.keep_keys is
  'How long the answer to a repeatable write is kept; a key that history has is refused for good.';
comment on column public.stage_settings.keep_runs is
  'How long a run stays in the jobs'' ledger; the newest of a job stays.';

-- Keys come in the order of their time, more or less: a few bytes a thousand rows find the old ones.
-- squawk-ignore require-concurrent-index-creation
create index idempotency_keys_created_at_idx on public.idempotency_keys using brin (created_at);
grant delete on public.job_runs to atlas_owner;

insert into public.atlas_migrations (id, note)
values ('023_retention', 'client stage: how long keys and the ledger are kept');

-- depends: 015_close_period

-- The trial: every way in is tried and rolled back, at the end of each deploy, by doctor and once a day.

alter table public.stage_settings add column trial boolean not null default true;
comment on column public.stage_settings.trial is
  'Whether to try every way into `clients` at the end of a deploy, in doctor and once a day.';

create table public.stage_trials (
  only_row  boolean     not null default true,
  tried_at  timestamptz not null,
  failure   jsonb,
  constraint stage_trials_pkey primary key (only_row),
  constraint stage_trials_only_row_check check (only_row)
);
comment on table public.stage_trials is 'The outcome of the newest trial (ops.trial).';
comment on column public.stage_trials.failure is
  'What failed first, as a finding; null: every way in worked.';

grant select, insert, update on public.stage_trials to atlas_owner;

-- pg_upgrade keeps a row's xmin, and a restore doesn't. So a row that still has the xid that it records was written in
-- this cluster, whatever its identifier is now.
alter table public.feed_epochs add column xid xid8;
update public.feed_epochs set xid = pg_current_xact_id();
alter table public.feed_epochs alter column xid set default pg_current_xact_id();
comment on column public.feed_epochs.xid is 'The transaction that wrote the row.';

-- Keys that a change of the system's sort order must not corrupt.
alter table public.idempotency_keys
  -- squawk-ignore changing-column-type
  alter column external_id type text collate "C",
  -- squawk-ignore changing-column-type
  alter column actor_id type text collate "C";
-- squawk-ignore changing-column-type
alter table public.actor_tokens alter column token_hash type text collate "C";

insert into public.atlas_migrations (id, note)
values ('016_trial', 'client stage: the trial; which cluster wrote an epoch; keys that no sort order changes');

-- depends: 018_runs_taken_back

-- Who changed the rules: grants, tokens, logins, settings, stages, transitions, flags, seasons, holidays.
create table public.administration_history (
  id           bigserial   not null,
  occurred_at  timestamptz not null default now(),
  recorded_at  timestamptz not null default clock_timestamp(),
  xid          xid8        not null default pg_current_xact_id(),
  actor_id     text        not null,
  login        text        not null default session_user,
  program      text        not null default current_setting('application_name'),
  channel      text        not null,
  reason       text,
  about        text        not null,
  key          jsonb       not null,
  before       jsonb,
  after        jsonb,
  changed      text[]      not null,
  constraint administration_history_pkey primary key (id),
  constraint administration_history_channel_check check (channel in (
    'api',     -- an api function, over HTTP or SQL
    'psql',    -- a plain SQL statement
    'install'  -- what was there when this record began
  )),
  constraint administration_history_row_check check (before is not null or after is not null)
);
create index administration_history_about_idx on public.administration_history (about, id);
create index administration_history_actor_idx on public.administration_history (actor_id, id);
create index administration_history_key_idx on public.administration_history (about, key, id);
comment on table public.administration_history is
  'Every change of what decides the rules, one row for each row that changed. Append-only.';
comment on column public.administration_history.login is 'The database login; over HTTP that of PostgREST.';
comment on column public.administration_history.program is 'As it names itself; anybody can say anything here.';
comment on column public.administration_history.about is 'The table.';
comment on column public.administration_history.before is
  'The row before; null: it was added. A token is known by its id: no hash of it is in here.';
comment on column public.administration_history.after is 'The row after; null: it was removed.';
comment on column public.administration_history.changed is
  'The columns that differ, also one that is not shown; empty for a row that was added or removed.';

-- The record begins with what is there.
insert into public.administration_history (actor_id, channel, reason, about, key, after, changed)
select 'system:install', 'install', 'the record begins', present.about, present.key, present.after, '{}'
from (
  select 1 as part, 'agent_permissions' as about, jsonb_build_object('id', g.id) as key, to_jsonb(g.*) as after
  from public.agent_permissions as g
  union all
  select
    2, 'actor_tokens', jsonb_build_object('id', left(t.token_hash, 12)),
    to_jsonb(t.*) - '{token_hash,last_used_at}'::text[] || jsonb_build_object('id', left(t.token_hash, 12))
  from public.actor_tokens as t
  union all
  select 3, 'actor_logins', jsonb_build_object('db_role', l.db_role), to_jsonb(l.*)
  from public.actor_logins as l
  union all
  select 4, 'stage_settings', jsonb_build_object('only_row', s.only_row), to_jsonb(s.*)
  from public.stage_settings as s
  union all
  select 5, 'stages', jsonb_build_object('stage', s.stage), to_jsonb(s.*)
  from public.stages as s
  union all
  select 6, 'stage_transitions', jsonb_build_object('from_stage', s.from_stage, 'to_stage', s.to_stage), to_jsonb(s.*)
  from public.stage_transitions as s
  union all
  select 7, 'stage_flags', jsonb_build_object('flag', f.flag), to_jsonb(f.*)
  from public.stage_flags as f
  union all
  select 8, 'stage_seasons', jsonb_build_object('flag', s.flag), to_jsonb(s.*)
  from public.stage_seasons as s
  union all
  select 9, 'business_holidays', jsonb_build_object('day', h.day), to_jsonb(h.*)
  from public.business_holidays as h
) as present
order by present.part, present.key;

grant select, insert, trigger on public.administration_history to atlas_owner;
grant usage on sequence public.administration_history_id_seq to atlas_owner;
-- so that the triggers that record can be made
grant trigger on
  public.actor_tokens,
  public.actor_logins,
  public.stage_transitions,
  public.business_holidays
to atlas_owner;

insert into public.atlas_migrations (id, note)
values ('021_administration_on_record', 'client stage: who changed grants, tokens, settings and rules');

-- depends: 001_roles

-- The plan's DDL, names and types as they stand; what the design adds is marked so.

alter table public.clients
  add column stage               text        not null default 'weekly',
  add column stage_entered_at    timestamptz not null default now(),
  add column stage_owner         text,
  add column stage_collaborators text[]      not null default '{}',
  add column stage_notes         text,
  add column flags               text[]      not null default '{}',
  add column close_cadence       text        not null default 'monthly',
  add column sales_tax_schedule  text        not null default 'none',
  add column service_tier        text        not null default 'recurring_only',
  add column returning_to_stage  text,
  add column eligible_reviewers  text[],
  add column active              boolean     not null default true,
  add column version             bigint      not null default 0;

-- Words, not enum types: a word is easier to add than a type is to change.
alter table public.clients
  add constraint clients_stage_check check (stage in (
    'onboarding',       -- set-up of a new client
    'cleanup',          -- old books are put right
    'weekly',           -- the ordinary week
    'eom_close',        -- the month is being closed
    'eom_review',       -- the close waits for its sign-off
    'paused_client',    -- paused by the client
    'paused_internal',  -- paused by the firm
    'offboarding'       -- leaving
  )),
  add constraint clients_returning_to_stage_check check (returning_to_stage in (
    'onboarding', 'cleanup', 'weekly', 'eom_close', 'eom_review', 'offboarding'
  )),
  add constraint clients_close_cadence_check check (close_cadence in (
    'monthly', 'quarterly', 'annual', 'none'
  )),
  add constraint clients_sales_tax_schedule_check check (sales_tax_schedule in (
    'none', 'monthly', 'quarterly', 'annual'
  )),
  add constraint clients_service_tier_check check (service_tier in (
    'recurring_only', 'recurring_plus_advisory', 'cleanup_only', 'full_service'
  )),
  add constraint clients_flags_no_null_check check (array_position(flags, null) is null),
  add constraint clients_stage_collaborators_no_null_check check (
    array_position(stage_collaborators, null) is null
  ),
  add constraint clients_eligible_reviewers_no_null_check check (
    array_position(eligible_reviewers, null) is null
  ),
  add constraint clients_version_check check (version >= 0);

comment on column public.clients.stage is 'Where the client is; changed under the rules of stage_transitions only.';
comment on column public.clients.stage_entered_at is 'When the present stage was entered; kept by the database.';
comment on column public.clients.stage_owner is 'Actor id of who is responsible, such as user:jimmie.';
comment on column public.clients.stage_collaborators is 'Actor ids of who helps.';
comment on column public.clients.flags is 'A set, sorted: the words of stage_flags.';
comment on column public.clients.returning_to_stage is 'While paused: the stage to come back to.';
comment on column public.clients.eligible_reviewers is 'Who may sign off; null: anyone with the permission.';
comment on column public.clients.version is 'Number of recorded changes; the version of the newest history row.';

-- Who is in stage X, by id and by age.
create index clients_stage_idx on public.clients (stage, id);
create index clients_stage_entered_at_idx on public.clients (stage, stage_entered_at) where active;
-- Most clients carry no flag and have no helper: those rows cost these indexes nothing.
create index clients_flags_idx on public.clients using gin (flags) where flags <> '{}';
create index clients_stage_owner_idx on public.clients (stage_owner, id) where stage_owner is not null;
create index clients_stage_collaborators_idx on public.clients using gin (stage_collaborators)
  where stage_collaborators <> '{}';
create index clients_search_idx on public.clients using gin (to_tsvector('simple', name || ' ' || slug));

create table public.stage_history (
  id            bigserial primary key,
  client_id     bigint not null references public.clients (id),
  from_stage    text,
  to_stage      text,
  flag_added    text,
  flag_removed  text,
  occurred_at   timestamptz not null default now(),
  actor_type    text not null,
  actor_id      text not null,          -- 'user:jimmie', 'agent:tally', 'system:cron:stage_autoroll_eom_open'
  channel       text not null,
  on_behalf_of  text,
  triggered_by  text,                   -- e.g. 'qbo_reconciliation_complete'
  trigger_type  text not null,
  reason        text,
  payload       jsonb not null default '{}'::jsonb,
  external_id   text,                   -- the caller's idempotency key
  -- the design's additions
  version             bigint not null,
  xid                 xid8   not null default pg_current_xact_id(),
  from_entered_at     timestamptz,      -- of a move: stage_entered_at before it, for a rollback
  from_returning_to   text,             -- of a move: returning_to_stage before it, for a rollback
  constraint stage_history_client_version_uniq unique (client_id, version),
  constraint stage_history_version_check check (version >= 0),
  constraint stage_history_actor_type_check check (actor_type in (
    'human',   -- user:…
    'agent',   -- agent:…
    'system'   -- system:…
  )),
  constraint stage_history_channel_check check (channel in (
    'api',            -- an api function, over HTTP or SQL
    'slack',
    'nlp_relay',
    'cron',           -- the jobs
    'event_webhook',
    'psql'            -- a plain SQL statement
  )),
  constraint stage_history_trigger_type_check check (trigger_type in (
    'auto_time',        -- a job, by the calendar
    'auto_event',       -- a job or webhook, by something that happened
    'manual',           -- a person
    'manual_override',  -- an admin, past the transitions
    'agent_action',     -- an agent
    'rollback'          -- takes an earlier row back
  ))
);

create index stage_history_client_idx on public.stage_history (client_id, occurred_at desc);
create unique index stage_history_external_id_uniq on public.stage_history (external_id)
  where external_id is not null;
-- A row is taken back at most once.
create unique index stage_history_rolls_back_uniq on public.stage_history (((payload ->> 'rolls_back')::bigint))
  where trigger_type = 'rollback';

comment on table public.stage_history is
  'Every change of a client, for good: one row a change, versions 0, 1, 2 … without a gap. Append-only.';
comment on column public.stage_history.version is 'The client''s version that this change made; 0 is its first state.';
comment on column public.stage_history.xid is 'The change''s transaction, by which its rows can be found together.';
comment on column public.stage_history.payload is
  'The caller''s facts; `changed`, `initial` and `rolls_back` (a row''s id) are the system''s.';

create table public.agent_permissions (
  id          bigserial primary key,
  actor_id    text not null,
  permission  text not null,
  scope       jsonb,                    -- null: everywhere; else the keys from, to, flags, clients, service_tiers
  granted_at  timestamptz not null default now(),
  granted_by  text not null,
  revoked_at  timestamptz,
  notes       text,
  constraint agent_permissions_actor_id_check check (actor_id ~ '^(user|agent|system):[^[:space:][:cntrl:]]+$'),
  constraint agent_permissions_permission_check check (permission in (
    'can_read_clients',         -- every actor may read
    'can_set_stage',
    'can_set_flag',
    'can_sign_off_eom_review',
    'can_offboard',
    'can_admin'                 -- implies every other
  )),
  constraint agent_permissions_scope_check check (jsonb_typeof(scope) = 'object')
);
create index agent_permissions_actor_idx on public.agent_permissions (actor_id) where revoked_at is null;

comment on table public.agent_permissions is
  'Who may do what: people, agents and jobs alike. Several live rows of one actor are alternatives.';

create table public.actor_tokens (
  token_hash    text primary key,       -- sha256 of the actual token; never store raw
  actor_id      text not null,
  description   text,
  created_at    timestamptz not null default now(),
  created_by    text not null,
  revoked_at    timestamptz,
  last_used_at  timestamptz,
  -- the design's addition
  expires_at    timestamptz,            -- null: never
  constraint actor_tokens_token_hash_check check (token_hash ~ '^[0-9a-f]{64}$'),
  constraint actor_tokens_actor_id_check check (actor_id ~ '^(user|agent|system):[^[:space:][:cntrl:]]+$')
);
create index actor_tokens_actor_idx on public.actor_tokens (actor_id) where revoked_at is null;
-- Lists show the first 12 characters as the token's id; two tokens may not share it.
create unique index actor_tokens_id_uniq on public.actor_tokens (left(token_hash, 12));

comment on table public.actor_tokens is 'Bearer tokens by their SHA-256; a token itself is shown once, kept nowhere.';
comment on column public.actor_tokens.last_used_at is 'Kept to within 15 minutes, and by writes only.';

insert into public.agent_permissions (actor_id, permission, granted_by) values
  ('user:jimmie', 'can_admin', 'system:install'),
  ('user:jimmie', 'can_sign_off_eom_review', 'system:install');

-- The history begins: what is there gets its version-0 row.
insert into public.stage_history (
  client_id, to_stage, occurred_at, actor_type, actor_id, channel, trigger_type, reason, version
)
select id, stage, stage_entered_at, 'system', 'system:install', 'psql', 'manual', 'the history begins', 0
from public.clients;

-- The stored logic's owner may add to history, never change it.
grant select, insert, update, trigger on public.clients to atlas_owner;
grant select, insert, trigger on public.stage_history to atlas_owner;
grant select, insert, update on public.agent_permissions, public.actor_tokens to atlas_owner;
grant usage on sequence public.stage_history_id_seq, public.agent_permissions_id_seq to atlas_owner;
do $$
begin
  execute format('grant usage on sequence %s to atlas_owner', pg_get_serial_sequence('public.clients', 'id'));
end
$$;

insert into public.atlas_migrations (id, note)
values ('010_client_stage_taxonomy', 'client stage: clients, history, permissions, tokens');

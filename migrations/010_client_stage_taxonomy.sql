-- depends: 001_roles

-- The plan's DDL, with its names and types unchanged. Additions follow the plan's columns, under "Added".
-- The lock on clients is short: no row is rewritten, the checks read the table once, and each client's first
-- history row waits for 014_stage_installation, which lets readers in.

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

-- Text with checks, not enum types: a check is easier to change.
alter table public.clients
  add constraint clients_stage_check check (stage in (
    'onboarding',       -- set-up of a new client
    'cleanup',          -- older books are corrected
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

comment on column public.clients.stage is 'Where the client is. It changes only as stage_transitions allows.';
comment on column public.clients.stage_entered_at is 'When the client entered its stage. The database sets it.';
comment on column public.clients.stage_owner is 'Actor id of the responsible actor, such as user:jimmie.';
comment on column public.clients.stage_collaborators is 'Actor ids of the actors that help.';
comment on column public.clients.flags is 'A sorted set of flags from stage_flags.';
comment on column public.clients.returning_to_stage is 'The stage that a paused client resumes in; null: not paused.';
comment on column public.clients.eligible_reviewers is
  'Actor ids that may sign off this client; null: any actor with the permission.';
comment on column public.clients.version is
  'Number of recorded changes; equal to the version of the newest history row.';

create table public.stage_history (
  id            bigserial primary key,
  client_id     bigint not null
                constraint stage_history_client_id_fkey references public.clients (id)
                deferrable initially immediate,  -- an admin deletes a client together with its first row
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
  -- Added
  version             bigint  not null,
  xid                 xid8    not null default pg_current_xact_id(),
  from_entered_at     timestamptz,
  from_returning_to   text,
  epoch               integer not null default 1,
  recorded_at         timestamptz default clock_timestamp(),
  words_salt          uuid,
  words_hash          bytea,
  row_hash            bytea,
  constraint stage_history_client_version_uniq unique (client_id, version),
  -- programs that read JSON numbers as doubles, JavaScript among them, are exact up to 2^53
  constraint stage_history_id_check check (id <= 9007199254740992),
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
    'auto_event',       -- a job or a webhook, by an event
    'manual',           -- a person
    'manual_override',  -- an admin, against the transitions
    'agent_action',     -- an agent
    'rollback'          -- undoes an earlier row
  ))
);
create index stage_history_client_idx on public.stage_history (client_id, occurred_at desc);
-- A key belongs to the actor that used it, so no actor can use up another actor's key.
create unique index stage_history_external_id_uniq on public.stage_history (external_id, actor_id)
  where external_id is not null;

comment on table public.stage_history is
  'Every change of a client, kept permanently: one row per change, versions 0, 1, 2 … without a gap. Append-only.';
comment on column public.stage_history.payload is
  'The caller''s facts. The system adds `changed`, `initial` and `rolls_back` (the id of a history row).';
comment on column public.stage_history.version is
  'The version of the client that this change made; 0: its first state.';
comment on column public.stage_history.xid is
  'The change''s transaction. Rows of one transaction share (epoch, xid), and no other row ever has it.';
comment on column public.stage_history.from_entered_at is
  'For a move: stage_entered_at before it. A rollback restores it.';
comment on column public.stage_history.from_returning_to is
  'For a move: returning_to_stage before it. A rollback restores it.';
comment on column public.stage_history.epoch is 'See feed_epochs. A deploy sets the default to the current epoch.';
comment on column public.stage_history.recorded_at is
  'When the row was written; occurred_at is when its transaction began.';
comment on column public.stage_history.words_salt is
  'Part of the hash of the row''s words, so that erased words can''t be guessed from the hash.';
comment on column public.stage_history.words_hash is
  'The hash of the words that were erased from this row; null: nothing was erased.';
comment on column public.stage_history.row_hash is
  'SHA-256 of this row and of the row_hash of the client''s version before (rules.history_hash); null: migrate has not
set it yet.';

create table public.agent_permissions (
  id          bigserial primary key,
  actor_id    text not null,
  permission  text not null,
  scope       jsonb,                    -- null: no restriction; keys: from, to, flags, clients, service_tiers
  granted_at  timestamptz not null default now(),
  granted_by  text not null,
  revoked_at  timestamptz,
  notes       text,
  -- programs that read JSON numbers as doubles, JavaScript among them, are exact up to 2^53
  constraint agent_permissions_id_check check (id <= 9007199254740992),
  constraint agent_permissions_actor_id_check check (actor_id ~ '^(user|agent|system):[^[:space:][:cntrl:]]+$'),
  constraint agent_permissions_permission_check check (permission in (
    'can_read_clients',         -- every actor may read
    'can_set_stage',
    'can_set_flag',
    'can_sign_off_eom_review',
    'can_offboard',
    'can_admin'                 -- implies every other permission
  )),
  constraint agent_permissions_scope_check check (jsonb_typeof(scope) = 'object')
);
create index agent_permissions_actor_idx on public.agent_permissions (actor_id) where revoked_at is null;

comment on table public.agent_permissions is
  'The grants of people, agents and jobs. Several live grants of one actor are alternatives.';

create table public.actor_tokens (
  token_hash    text primary key,       -- sha256 of the token; the token itself is never stored
  actor_id      text not null,
  description   text,
  created_at    timestamptz not null default now(),
  created_by    text not null,
  revoked_at    timestamptz,
  last_used_at  timestamptz,
  -- Added
  expires_at    timestamptz,            -- null: never
  constraint actor_tokens_token_hash_check check (token_hash ~ '^[0-9a-f]{64}$'),
  constraint actor_tokens_actor_id_check check (actor_id ~ '^(user|agent|system):[^[:space:][:cntrl:]]+$')
);
create index actor_tokens_actor_idx on public.actor_tokens (actor_id) where revoked_at is null;
-- Lists show the first 12 characters as the token's id, so two tokens can't share them.
create unique index actor_tokens_id_uniq on public.actor_tokens (left(token_hash, 12));

comment on table public.actor_tokens is
  'Bearer tokens by their SHA-256. A token is shown once and stored nowhere.';
comment on column public.actor_tokens.last_used_at is 'Accurate to within 15 minutes. Only writes update it.';

insert into public.agent_permissions (actor_id, permission, granted_by) values
  ('user:jimmie', 'can_admin', 'system:install'),
  ('user:jimmie', 'can_sign_off_eom_review', 'system:install');

-- atlas_writer can write clients and nothing else. A host trigger on clients runs with its rights, and so can't
-- reach grants, tokens, settings or history.
grant select, insert, update, delete on public.clients to atlas_writer;
-- A guard limits this to the history row of a client that is deleted with it.
grant select, delete on public.stage_history to atlas_writer;

-- Locking a client takes the right to update one of its columns. No one can change a version alone: it needs a
-- history row.
grant select, update (version), trigger on public.clients to atlas_owner;
-- The guard of history allows two updates: setting a missing hash, and erasing words.
grant
  select,
  insert,
  update (row_hash, words_salt, words_hash, reason, on_behalf_of, triggered_by, payload),
  trigger
on public.stage_history
to atlas_owner;
grant select, insert, update, trigger on public.agent_permissions, public.actor_tokens to atlas_owner;
grant usage on sequence public.stage_history_id_seq, public.agent_permissions_id_seq to atlas_owner;
-- The host may have given the sequence of clients another name.
do $$
declare
  v_sequence constant text := pg_get_serial_sequence('public.clients', 'id');
begin
  execute format('grant usage on sequence %s to atlas_writer', v_sequence);
  execute format('grant select on sequence %s to atlas_owner', v_sequence);  -- a finding reads its last value
end
$$;

insert into public.atlas_migrations (id, note)
values ('010_client_stage_taxonomy', 'client stage: clients, history, permissions, tokens');

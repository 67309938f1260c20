-- depends: 011_stage_rule_tables

-- Which actor a login is.

create table public.actor_logins (
  db_role   text not null,
  actor_id  text not null,
  constraint actor_logins_pkey primary key (db_role),
  constraint actor_logins_actor_id_check check (actor_id ~ '^(user|agent|system):[^[:space:][:cntrl:]]+$')
);
comment on table public.actor_logins is
  'The actor of each database login. A login that is not listed acts as system:db:<login>.';

grant select, trigger on public.actor_logins to atlas_owner;

-- Repeatable writes.

create table public.idempotency_keys (
  external_id     text        not null,
  actor_id        text        not null,
  request_sha256  bytea       not null,
  response        jsonb,
  client_ids      bigint[]    not null default '{}',
  created_at      timestamptz not null default now(),
  constraint idempotency_keys_pkey primary key (external_id, actor_id)
);
-- Keys arrive roughly in the order of their time, so a few bytes per thousand rows find the old ones.
create index idempotency_keys_created_at_idx on public.idempotency_keys using brin (created_at);
create index idempotency_keys_clients_idx on public.idempotency_keys using gin (client_ids);
comment on table public.idempotency_keys is
  'The first answer to each repeatable write. The hash of the request tells a repetition from another use of the key.';
comment on column public.idempotency_keys.response is
  'The first answer; null only while that request is running.';

comment on column public.idempotency_keys.client_ids is
  'The clients that the request or its answer is about: an erasure of their words deletes the answer.';

create table public.erased_keys (
  key_sha256 bytea       not null,
  erased_at  timestamptz not null default now(),
  constraint erased_keys_pkey primary key (key_sha256)
);
comment on table public.erased_keys is
  'Keys whose answers were erased. Such a key is refused: its request must not be executed twice.';
comment on column public.erased_keys.key_sha256 is
  'SHA-256 of the actor and the key (rules.key_sha256). A key may hold words, so the key itself is erased.';

grant select, insert, update, delete on public.idempotency_keys to atlas_owner;
grant select, insert on public.erased_keys to atlas_owner;
-- A history row loses its key when its words are erased.
grant update (external_id) on public.stage_history to atlas_owner;

-- The jobs: one row each, one row per run, and grants like those of any other actor.

create table public.job_locks (
  job           text        not null,
  started_at    timestamptz,
  installed_at  timestamptz not null default now(),
  constraint job_locks_pkey primary key (job)
);
comment on table public.job_locks is 'One row per job. Every transaction of a run locks the row of its job.';
comment on column public.job_locks.started_at is
  'When a scheduler last started the job, whether or not it was due; null: never.';
comment on column public.job_locks.installed_at is
  'When the job was installed. A job that never ran is overdue only for what was due since then.';

insert into public.job_locks (job) values
  ('stage_autoroll_eom_open'),
  ('flag_autoclear_advisory_due'),
  ('stage_stuck_detector'),
  ('flag_sales_tax_due'),
  ('flag_seasonal');

create table public.job_runs (
  id           bigserial   not null,
  job          text        not null,
  due_at       timestamptz not null,
  as_of        timestamptz not null,
  started_at   timestamptz not null default now(),
  finished_at  timestamptz,
  outcome      text        not null default 'running',
  counts       jsonb       not null default '{}'::jsonb,
  error        text,
  attempts     integer     not null default 1,
  backend_pid  integer,
  seen_at      timestamptz,
  constraint job_runs_pkey primary key (id),
  constraint job_runs_id_check check (id <= 9007199254740992),
  constraint job_runs_occurrence_uniq unique (job, due_at),
  constraint job_runs_outcome_check check (outcome in (
    'running',  -- running, or crashed: jobs.is_running tells
    'done',
    'failed',   -- error has the reason
    'skipped'   -- missed for longer than the catch-up days
  )),
  constraint job_runs_finished_check check ((outcome = 'running') = (finished_at is null)),
  constraint job_runs_attempts_check check (attempts > 0)
);
-- Runs that are running or crashed: only a handful at any time.
create index job_runs_running_idx on public.job_runs (job) where outcome = 'running';
comment on table public.job_runs is
  'One row per occurrence of a job: when it was due, when it ran, and what it did.';
comment on column public.job_runs.due_at is
  'The occurrence. For a gap of hourly or daily runs: the first one missed; counts.until is the last.';
comment on column public.job_runs.as_of is 'The time that the run used as now.';
comment on column public.job_runs.counts is
  'moved, flagged, cleared: of all attempts. unchanged, skipped (by the rule that forbids it), failed, errors (the
first 20), still_closing: of the last attempt.';
comment on column public.job_runs.attempts is
  'How often the run was started; more than once after a crash or a failure.';
comment on column public.job_runs.backend_pid is 'The server process that does or did the work.';
comment on column public.job_runs.seen_at is
  'When that process last reported, between two transactions of the work.';

grant select, insert, update on public.job_locks to atlas_owner;
grant select, insert, update, delete on public.job_runs to atlas_owner;
grant usage on sequence public.job_runs_id_seq to atlas_owner;

insert into public.agent_permissions (actor_id, permission, scope, granted_by) values
  ('system:cron:stage_autoroll_eom_open', 'can_set_stage',
   '{"from": ["weekly"], "to": ["eom_close"]}', 'system:install'),
  ('system:cron:flag_autoclear_advisory_due', 'can_set_flag', '{"flags": ["advisory_due"]}', 'system:install'),
  ('system:cron:stage_stuck_detector', 'can_set_flag', '{"flags": ["stuck"]}', 'system:install'),
  ('system:cron:flag_sales_tax_due', 'can_set_flag', '{"flags": ["sales_tax_due"]}', 'system:install'),
  ('system:cron:flag_seasonal', 'can_set_flag',
   '{"flags": ["season_year_end", "season_1099", "season_tax"]}', 'system:install');

-- The feed of changes.

create table public.feed_epochs (
  epoch              integer     not null,
  system_identifier  bigint      not null,
  begun_at           timestamptz not null default now(),
  late_from_id       bigint,
  late_to_id         bigint,
  constraint feed_epochs_pkey primary key (epoch),
  constraint feed_epochs_late_check check ((late_from_id is null) = (late_to_id is null))
);
comment on table public.feed_epochs is
  'The feed is ordered by transaction id. Another server starts those again, so the database begins a new epoch there.';
comment on column public.feed_epochs.system_identifier is 'The server of this epoch, as in pg_control_system().';
comment on column public.feed_epochs.late_from_id is
  'The first history row that this server wrote before a deploy began the epoch; late_to_id: the last one.';

insert into public.feed_epochs (epoch, system_identifier)
select 1, system_identifier from pg_control_system();

grant select on public.feed_epochs to atlas_owner;

-- What left history: words that were erased, and clients that were deleted.

create table public.erasures (
  id            bigserial   not null,
  client_id     bigint      not null,
  last_version  bigint      not null,
  rows          bigint      not null,
  erased_at     timestamptz not null default now(),
  erased_by     text        not null,
  login         text        not null default session_user,
  reason        text        not null,
  constraint erasures_pkey primary key (id),
  constraint erasures_id_check check (id <= 9007199254740992)
);
create index erasures_client_idx on public.erasures (client_id, last_version);
comment on table public.erasures is
  'Erasures of a client''s personal words: from all of its history up to a version. Append-only.';

create table public.deleted_clients (
  client_id   bigint      not null,
  name        text,
  slug        text,
  history     jsonb       not null,
  deleted_at  timestamptz not null default now(),
  deleted_by  text        not null,
  reason      text,
  words_hash  text,
  constraint deleted_clients_pkey primary key (client_id)
);
comment on table public.deleted_clients is
  'Clients that were created by mistake and deleted by an admin, with their history rows.';

comment on column public.deleted_clients.words_hash is
  'SHA-256 (hex) of the name, slug and reason that were erased; null while they are there.';

grant select, insert, trigger on public.erasures, public.deleted_clients to atlas_owner;
grant update (name, slug, history, reason, words_hash) on public.deleted_clients to atlas_owner;
grant usage on sequence public.erasures_id_seq to atlas_owner;

-- Administration: every change of the rows that decide the rules.

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
  version      bigint      default 0,
  epoch        integer     not null default 1,
  row_hash     bytea,
  constraint administration_history_pkey primary key (id),
  constraint administration_history_key_version_uniq unique (about, key, version),
  constraint administration_history_version_check check (version >= 0),
  constraint administration_history_id_check check (id <= 9007199254740992),
  constraint administration_history_channel_check check (channel in (
    'api',     -- an api function, over HTTP or SQL
    'psql',    -- a plain SQL statement
    'install'  -- what a migration wrote
  )),
  constraint administration_history_row_check check (before is not null or after is not null)
);
create index administration_history_about_idx on public.administration_history (about, id);
create index administration_history_actor_idx on public.administration_history (actor_id, id);
comment on table public.administration_history is
  'Changes of the rows that decide the rules, erasures and deleted clients: one row per changed row. Append-only.';
comment on column public.administration_history.login is 'The database login; over HTTP it is PostgREST''s.';
comment on column public.administration_history.program is
  'The application name that the session reported. Any program can report any name.';
comment on column public.administration_history.about is 'The table.';
comment on column public.administration_history.before is
  'The row before; null: the row is new. A token is listed by its id, never by its hash.';
comment on column public.administration_history.after is 'The row after; null: the row was removed.';
comment on column public.administration_history.changed is
  'The columns that differ, including hidden ones; empty for a row that is new or was removed.';
comment on column public.administration_history.version is
  'The number of the record within its table and key: 0, 1, 2 … without a gap. Null: written with the trigger off.';
comment on column public.administration_history.epoch is 'See feed_epochs; its default is the present epoch.';
comment on column public.administration_history.row_hash is
  'SHA-256 of this record and the row_hash of the same key''s record before: rules.administration_hash.';

grant select, insert, update (row_hash), trigger on public.administration_history to atlas_owner;
grant usage on sequence public.administration_history_id_seq to atlas_owner;

-- The record begins with the rows that exist. A later migration that adds a row to one of these tables records it
-- itself: a new database has no trigger yet that would.
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
  select 3, 'stage_settings', jsonb_build_object('only_row', s.only_row), to_jsonb(s.*)
  from public.stage_settings as s
  union all
  select 4, 'stages', jsonb_build_object('stage', s.stage), to_jsonb(s.*)
  from public.stages as s
  union all
  select 5, 'stage_transitions', jsonb_build_object('from_stage', s.from_stage, 'to_stage', s.to_stage), to_jsonb(s.*)
  from public.stage_transitions as s
  union all
  select 6, 'stage_flags', jsonb_build_object('flag', f.flag), to_jsonb(f.*)
  from public.stage_flags as f
  union all
  select 7, 'stage_seasons', jsonb_build_object('flag', s.flag), to_jsonb(s.*)
  from public.stage_seasons as s
  union all
  select 8, 'business_holidays', jsonb_build_object('day', h.day), to_jsonb(h.*)
  from public.business_holidays as h
) as present
order by present.part, present.key;

insert into public.atlas_migrations (id, note)
values ('012_stage_records', 'client stage: logins, keys, jobs, feed, erasures, administration');

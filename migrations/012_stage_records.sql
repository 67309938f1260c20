-- depends: 011_stage_rule_tables

create table public.actor_logins (
  db_role   text not null,
  actor_id  text not null,
  constraint actor_logins_pkey primary key (db_role),
  constraint actor_logins_actor_id_check check (actor_id ~ '^(user|agent|system):[^[:space:][:cntrl:]]+$')
);
comment on table public.actor_logins is
  'Which actor a database login is; a login that is not here is system:db:<login>.';

create table public.idempotency_keys (
  external_id     text        not null,
  actor_id        text        not null,
  request_sha256  bytea       not null,
  response        jsonb       not null,
  created_at      timestamptz not null default now(),
  constraint idempotency_keys_pkey primary key (external_id)
);
comment on table public.idempotency_keys is
  'The first answer to each repeatable write. The request''s hash tells a repetition from another use of the key.';

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
  constraint job_runs_pkey primary key (id),
  constraint job_runs_occurrence_uniq unique (job, due_at),
  constraint job_runs_outcome_check check (outcome in (
    'running',  -- at work, or crashed: no session holds its lock any more
    'done',
    'failed',   -- error says why
    'skipped'   -- missed for longer than the catch-up days
  )),
  constraint job_runs_finished_check check ((outcome = 'running') = (finished_at is null))
);
comment on table public.job_runs is 'One row an occurrence of a job: when it was due, when it ran, what it did.';

grant select on public.actor_logins to atlas_owner;
grant select, insert on public.idempotency_keys to atlas_owner;
grant select, insert, update on public.job_runs to atlas_owner;
grant usage on sequence public.job_runs_id_seq to atlas_owner;

-- The jobs are actors like any other: scoped rows, nothing more.
insert into public.agent_permissions (actor_id, permission, scope, granted_by) values
  ('system:cron:stage_autoroll_eom_open', 'can_set_stage',
   '{"from": ["weekly"], "to": ["eom_close"]}', 'system:install'),
  ('system:cron:flag_autoclear_advisory_due', 'can_set_flag', '{"flags": ["advisory_due"]}', 'system:install'),
  ('system:cron:stage_stuck_detector', 'can_set_flag', '{"flags": ["stuck"]}', 'system:install'),
  ('system:cron:flag_sales_tax_due', 'can_set_flag', '{"flags": ["sales_tax_due"]}', 'system:install'),
  ('system:cron:flag_seasonal', 'can_set_flag',
   '{"flags": ["season_year_end", "season_1099", "season_tax"]}', 'system:install');

insert into public.atlas_migrations (id, note)
values ('012_stage_records', 'client stage: logins, idempotency keys, job runs, the jobs'' permissions');

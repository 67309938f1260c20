-- depends: 013_job_indexes
-- Of the tables that this locks, stages, stage_transitions and idempotency_keys are ours alone and small; the
-- foreign keys of clients and stage_history scan one index each, once, under the lock_timeout of a deploy.
-- squawk-ignore-file adding-foreign-key-constraint, ban-drop-constraint, require-concurrent-index-deletion
-- squawk-ignore-file adding-serial-primary-key-field, ban-drop-not-null, renaming-table, renaming-object
-- squawk-ignore-file adding-not-nullable-field, disallowed-unique-constraint

-- What writes `clients` can do nothing else: whatever else runs with its rights, such as a trigger of the host's,
-- reaches no grants, no tokens, no settings and no history.
do $$
begin
  if not exists (select from pg_catalog.pg_roles where rolname = 'atlas_writer') then
    create role atlas_writer nologin noinherit;
  end if;
  if not (select rolsuper from pg_catalog.pg_roles where rolname = current_user) then
    execute format('grant atlas_writer to %I', current_user);
  end if;
end
$$;

grant select, insert, update, delete on public.clients to atlas_writer;
grant select, delete on public.stage_history to atlas_writer;  -- its guard lets only a deleted client's row go
do $$
begin
  execute format('grant usage on sequence %s to atlas_writer', pg_get_serial_sequence('public.clients', 'id'));
  execute format('revoke usage on sequence %s from atlas_owner', pg_get_serial_sequence('public.clients', 'id'));
end
$$;
revoke insert, update on public.clients from atlas_owner;
-- Locking a row asks for the right to update a column of it; the version is one that nobody can set by itself.
grant update (version) on public.clients to atlas_owner;

-- A version of a client that history does not have cannot be committed, whoever made it.
alter table public.clients
  add constraint clients_version_recorded_fkey foreign key (id, version)
    references public.stage_history (client_id, version) deferrable initially deferred;
comment on constraint clients_version_recorded_fkey on public.clients is
  'Each version of a client has its history row, or the transaction fails: no change goes unrecorded.';

-- A client that was made by mistake goes together with its first row.
alter table public.stage_history
  drop constraint stage_history_client_id_fkey,
  add constraint stage_history_client_id_fkey foreign key (client_id)
    references public.clients (id) deferrable initially immediate;

create table public.deleted_clients (
  client_id   bigint      not null,
  name        text        not null,
  slug        text        not null,
  history     jsonb       not null,
  deleted_at  timestamptz not null default now(),
  deleted_by  text        not null,
  reason      text        not null,
  constraint deleted_clients_pkey primary key (client_id)
);
comment on table public.deleted_clients is
  'Clients that were made by mistake and taken out by an admin, with the history rows that they had.';
grant select, insert on public.deleted_clients to atlas_owner;

-- A key belongs to the actor that used it: nobody can spoil another one's.
drop index public.stage_history_external_id_uniq;
create unique index stage_history_external_id_uniq on public.stage_history (external_id, actor_id)
  where external_id is not null;
alter table public.idempotency_keys
  drop constraint idempotency_keys_pkey,
  add constraint idempotency_keys_pkey primary key (external_id, actor_id),
  alter column response drop not null;
comment on column public.idempotency_keys.response is 'The first answer; null only while that request is at work.';
grant update, delete on public.idempotency_keys to atlas_owner;

-- The stages stand in one table, and a typo in a transition is refused when it is written.
alter table public.stage_sla rename to stages;
alter table public.stages rename constraint stage_sla_pkey to stages_pkey;
alter table public.stages rename constraint stage_sla_max_days_check to stages_max_days_check;
alter table public.stages
  add column position     integer,
  add column kind         text,
  add column description  text;

update public.stages s
set position = known.position, kind = known.kind, description = known.description
from (values
  ('onboarding', 1, 'work', 'Set-up of a new client'),
  ('cleanup', 2, 'work', 'Old books are put right'),
  ('weekly', 3, 'work', 'The ordinary week'),
  ('eom_close', 4, 'work', 'The month is being closed'),
  ('eom_review', 5, 'review', 'The close waits for its sign-off'),
  ('paused_client', 6, 'pause', 'Paused by the client'),
  ('paused_internal', 7, 'pause', 'Paused by the firm'),
  ('offboarding', 8, 'exit', 'Leaving')
) as known (stage, position, kind, description)
where s.stage = known.stage;

alter table public.stages
  alter column position set not null,
  alter column kind set not null,
  alter column description set not null,
  add constraint stages_position_uniq unique (position),
  add constraint stages_kind_check check (kind in (
    'work',    -- somebody works on the books
    'review',  -- somebody else looks at them
    'pause',   -- nothing happens, and the client comes back to where it was
    'exit'     -- the client leaves
  ));
grant trigger on public.stages to atlas_owner;
comment on table public.stages is
  'The stages there are: their order, their kind, and how long a client may be in each.';
comment on column public.stages.position is 'Their order, from left to right, wherever stages are shown.';
comment on column public.stages.kind is 'work, review, pause or exit: what the rules ask of a stage.';

alter table public.stage_transitions
  add constraint stage_transitions_from_stage_fkey foreign key (from_stage) references public.stages (stage),
  add constraint stage_transitions_to_stage_fkey foreign key (to_stage) references public.stages (stage);
create index stage_transitions_to_stage_idx on public.stage_transitions (to_stage);

alter table public.stage_settings
  add column lock_wait interval not null default '3 seconds',
  add constraint stage_settings_lock_wait_check check (lock_wait between '100 milliseconds' and '20 seconds');
comment on column public.stage_settings.lock_wait is
  'How long a request waits for a client that somebody else holds, before it is answered client_locked.';

insert into public.atlas_migrations (id, note)
values ('014_one_path_for_every_change', 'client stage: who writes clients, what must be recorded, the stages');

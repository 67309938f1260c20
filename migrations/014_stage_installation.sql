-- depends: 013_stage_indexes

-- The last step before the stored logic: history begins.

-- A deploy can stop before this migration, and the host can add clients meanwhile. So this is where each client
-- gets its first row, under the lock that also adds the key. Host writers wait; readers do not.
lock table public.clients in share row exclusive mode;

insert into public.stage_history (
  client_id, to_stage, occurred_at, actor_type, actor_id, channel, trigger_type, reason, version
)
select c.id, c.stage, c.stage_entered_at, 'system', 'system:install', 'psql', 'manual', 'the history begins', 0
from public.clients as c
left join public.stage_history as h on c.id = h.client_id
where h.id is null;

-- A version of a client without its history row can't be committed by any login, with or without triggers. Checking
-- the present rows scans one index of each table.
alter table public.clients
  -- squawk-ignore adding-foreign-key-constraint
  add constraint clients_version_recorded_fkey foreign key (id, version)
    references public.stage_history (client_id, version) deferrable initially deferred;
comment on constraint clients_version_recorded_fkey on public.clients is
  'Each version of a client has its history row, or the transaction fails: no change goes unrecorded.';

-- What a deploy created, as the catalog showed it then. A difference means that somebody changed it since: doctor
-- reports it, and the next deploy repairs it.
create table public.stage_installation (
  kind      text not null,
  name      text not null,
  aspect    text not null,
  value     text not null,
  relation  text,
  mend      text,
  constraint stage_installation_pkey primary key (kind, name, aspect)
);
comment on table public.stage_installation is
  'The catalog after the last deploy, one row per aspect: owners, rights, definitions, states of triggers.';
comment on column public.stage_installation.relation is 'The table that the object belongs to; null: none.';
comment on column public.stage_installation.mend is
  'The statement that restores the value; null: the files of the stored logic do, or nothing can.';

grant select on public.stage_installation to atlas_owner;

insert into public.atlas_migrations (id, note)
values ('014_stage_installation', 'client stage: history begins; what a deploy created');

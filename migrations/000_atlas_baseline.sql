-- Atlas's own tables, where they do not exist yet. An Atlas database that is already there is left as it is:
-- `if not exists` is the point of this one migration, and of no other.

create table if not exists public.atlas_migrations (
  id          text primary key,
  applied_at  timestamptz not null default now(),
  note        text
);

-- The note remembers who made `clients`: the rollback drops it only when this migration did.
insert into public.atlas_migrations (id, note)
select
  '000_atlas_baseline',
  case when to_regclass('public.clients') is null then 'made clients' else 'found clients' end;

create table if not exists public.clients (
  id             bigserial primary key,
  name           text not null,
  slug           text not null unique,
  notes          text,
  gdrive_folder  text
);

-- What was deployed, by content: a changed migration is refused, unchanged stored logic is not re-created.
create table public.stage_deploys (
  part         text        not null,
  name         text        not null,
  sha256       text        not null,
  deployed_at  timestamptz not null default now(),
  deployed_by  text        not null default session_user,
  constraint stage_deploys_pkey primary key (part, name),
  constraint stage_deploys_part_check check (part in ('migration', 'stored_logic'))
);

comment on table public.stage_deploys is
  'Content hashes of what is deployed: one row a migration, one row for the stored logic as a whole.';

-- Atlas's own tables, for a database that does not have them. An existing Atlas is left unchanged: only this
-- migration uses `if not exists`, and only for these two tables.

create table if not exists public.atlas_migrations (
  id          text primary key,
  applied_at  timestamptz not null default now(),
  note        text
);

-- The note records whether this migration created `clients`. The rollback drops the table only then.
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

-- A deploy refuses a migration that changed after it was applied, and skips stored logic that has not changed.
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
  'Content hashes of what is deployed: one row per migration, and one row for the stored logic as a whole.';

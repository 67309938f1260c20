alter table public.job_runs drop constraint job_runs_id_check;
alter table public.erasures drop constraint erasures_id_check;
alter table public.agent_permissions drop constraint agent_permissions_id_check;
alter table public.administration_history drop constraint administration_history_id_check;
alter table public.stage_history drop constraint stage_history_id_check;
comment on column public.stage_history.row_hash is
  'SHA-256 of this row and the row_hash of the client''s version before: rules.row_hash. Null until migrate gave one.';

alter table public.administration_history
  drop constraint administration_history_key_version_uniq,
  drop constraint administration_history_version_check,
  drop column version,
  drop column epoch,
  add column place bigint;
create index administration_history_key_idx on public.administration_history (about, key, id);
create unique index administration_history_place_idx on public.administration_history (place);
create index administration_history_unchained_idx on public.administration_history (id) where row_hash is null;
-- The older stored logic chains all of it again.
update public.administration_history set row_hash = null;
comment on column public.administration_history.place is
  'Its place in the chain, without gaps, in the order of the commits; null until its transaction commits.';
comment on column public.administration_history.row_hash is
  'SHA-256 of this record and the row_hash of the one at the place before: rules.administration_hash.';

create table public.administration_chain (
  only_row boolean not null default true,
  length   bigint  not null,
  row_hash bytea   not null,
  constraint administration_chain_pkey primary key (only_row),
  constraint administration_chain_only_row_check check (only_row)
);
comment on table public.administration_chain is
  'Where the chain of administration ends: how many records there are, and the row_hash of the last. One row.';
grant select, insert, update on public.administration_chain to atlas_owner;
grant update (place) on public.administration_history to atlas_owner;

delete from public.atlas_migrations
where id = '027_evidence';

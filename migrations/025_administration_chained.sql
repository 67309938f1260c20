-- depends: 024_lists_by_flag_set

-- Each record carries a hash of itself and of the record before. The records that are there get theirs when the stored
-- logic is put in place.
-- squawk-ignore-file require-concurrent-index-creation
alter table public.administration_history
  add column place bigint,
  add column row_hash bytea;
comment on column public.administration_history.place is
  'Its place in the chain, without gaps, in the order of the commits; null until its transaction commits.';
comment on column public.administration_history.row_hash is
  'SHA-256 of this record and the row_hash of the one at the place before: rules.administration_hash.';
create unique index administration_history_place_idx on public.administration_history (place);
-- Empty, but for what nobody chained.
create index administration_history_unchained_idx on public.administration_history (id) where row_hash is null;

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
grant update (place, row_hash) on public.administration_history to atlas_owner;

insert into public.atlas_migrations (id, note)
values ('025_administration_chained', 'client stage: a record of administration that shows whether it was rewritten');

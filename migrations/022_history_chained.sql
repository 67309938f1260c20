-- depends: 021_administration_on_record

-- Each row carries a hash of itself and of the client's row before. The rows that are there get theirs from `migrate`,
-- in slices, once the stored logic is in place: nothing is locked for long.
-- squawk-ignore-file require-concurrent-index-creation, adding-field-with-default
alter table public.stage_history
  add column words_salt uuid,
  add column words_hash bytea,
  add column row_hash   bytea;
comment on column public.stage_history.words_salt is
  'Goes into the hash of the row''s words, so that nobody can guess them from it once they are erased.';
comment on column public.stage_history.words_hash is
  'The hash of the words that were erased from this row; null while they are there.';
comment on column public.stage_history.row_hash is
  'SHA-256 of this row and the row_hash of the client''s version before: rules.row_hash. Null until migrate gave one.';

-- Empty, once migrate was here.
create index stage_history_unhashed_idx on public.stage_history (client_id) where row_hash is null;

-- Words that were erased on request: who asked whom to forget what.
create table public.erasures (
  id            bigserial   not null,
  client_id     bigint      not null,
  last_version  bigint      not null,
  rows          bigint      not null,
  erased_at     timestamptz not null default now(),
  erased_by     text        not null,
  login         text        not null default session_user,
  reason        text        not null,
  constraint erasures_pkey primary key (id)
);
create index erasures_client_idx on public.erasures (client_id, last_version);
comment on table public.erasures is
  'Erasures of a client''s personal words: from all of its history up to a version. Append-only.';
grant select, insert, trigger on public.erasures to atlas_owner;
grant usage on sequence public.erasures_id_seq to atlas_owner;

-- The guard of history lets through the giving of a hash where there is none, and an erasure; nothing else.
grant update (row_hash, words_salt, words_hash, reason, on_behalf_of, triggered_by, payload)
on public.stage_history
to atlas_owner;

insert into public.atlas_migrations (id, note)
values ('022_history_chained', 'client stage: history that shows whether it was rewritten, and erasure of words');

-- depends: 026_removals_on_record

-- An erasure finds the kept answers that are about a client by this column.
-- squawk-ignore-file require-concurrent-index-creation, ban-drop-not-null
alter table public.idempotency_keys
  add column client_ids bigint[] not null default '{}';
comment on column public.idempotency_keys.client_ids is
  'The clients that the request or its answer is about: an erasure of their words takes the answer along.';
create index idempotency_keys_clients_idx on public.idempotency_keys using gin (client_ids);

create table public.erased_keys (
  key_sha256 bytea       not null,
  erased_at  timestamptz not null default now(),
  constraint erased_keys_pkey primary key (key_sha256)
);
comment on table public.erased_keys is
  'Keys whose answers were erased. Such a key is refused: its request must not be executed twice.';
comment on column public.erased_keys.key_sha256 is
  'SHA-256 of the actor and the key (rules.key_sha256). A key may hold words, so the key itself is erased.';
grant select, insert on public.erased_keys to atlas_owner;

-- A history row loses its key when its words are erased.
grant update (external_id) on public.stage_history to atlas_owner;

-- The words about a deleted client can be erased. The record of administration knows them by their hash.
alter table public.deleted_clients
  alter column name drop not null,
  alter column slug drop not null,
  alter column reason drop not null,
  add column words_hash text;
comment on column public.deleted_clients.words_hash is
  'SHA-256 (hex) of the name, slug and reason that were erased; null while they are there.';
grant update (name, slug, history, reason, words_hash) on public.deleted_clients to atlas_owner;

insert into public.atlas_migrations (id, note)
values ('028_erasure', 'client stage: an erasure reaches every place that keeps words about a client');

revoke update (name, slug, history, reason, words_hash) on public.deleted_clients from atlas_owner;
update public.deleted_clients
set name = coalesce(name, ''), slug = coalesce(slug, ''), reason = coalesce(reason, '')
where words_hash is not null;
alter table public.deleted_clients
  drop column words_hash,
  alter column name set not null,
  alter column slug set not null,
  alter column reason set not null;

revoke update (external_id) on public.stage_history from atlas_owner;
drop table public.erased_keys;
drop index public.idempotency_keys_clients_idx;
alter table public.idempotency_keys drop column client_ids;

delete from public.atlas_migrations
where id = '028_erasure';

-- Erases the kept answers about one client, and keeps hashes of their keys, so that no request is repeated. A batch
-- loses its whole answer. Returns how many keys were kept as hashes. The caller holds the client's lock, so no request
-- of that client is in progress.
create or replace function rules.erase_answers(client_id bigint)
returns bigint
language plpgsql
volatile
as $$
#variable_conflict use_variable
declare
  v_keys bigint;
begin
  with used as (
    delete from public.idempotency_keys k
    where k.client_ids @> array[client_id]
    returning k.actor_id, k.external_id
  )
  insert into public.erased_keys (key_sha256)
  select rules.key_sha256(u.actor_id, u.external_id)
  from (
    select used.actor_id, used.external_id from used
    union
    select h.actor_id, h.external_id from public.stage_history h where h.client_id = client_id
    union
    select d.history ->> 'actor_id', d.history ->> 'external_id'
    from public.deleted_clients d
    where d.client_id = client_id
  ) as u
  where u.external_id is not null
  on conflict on constraint erased_keys_pkey do nothing;
  get diagnostics v_keys = row_count;
  return v_keys;
end
$$;

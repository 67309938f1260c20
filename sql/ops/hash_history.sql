-- Give history rows that have none yet their hash, for so many clients after this one; the last of them, or null at the
-- end. `migrate` calls it once the stored logic is in place, slice after slice, each a transaction of its own. A row
-- without a hash that stands before one with a hash was tampered with, and gets none.
create or replace function ops.hash_history(
  after       bigint,
  max_clients integer default 1000
)
returns bigint
language plpgsql
volatile
set jit = off
as $$
#variable_conflict use_variable
declare
  v_ids bigint[] := array(
    select distinct h.client_id
    from public.stage_history h
    where h.row_hash is null
      and h.client_id > after
    order by h.client_id
    limit max_clients
  );
  v_last constant bigint := v_ids[cardinality(v_ids)];
begin
  -- who writes a row meanwhile waits, and finds the hash that it goes on from
  v_ids := array(select c.id from unnest(rules.lock_clients(v_ids)) as c);

  with recursive ends as (
    select h.client_id, max(h.version) filter (where h.row_hash is not null) as version
    from public.stage_history h
    where h.client_id = any (v_ids)
    group by h.client_id
  ),
  chain (client_id, version, words_salt, row_hash) as (
    select e.client_id, coalesce(e.version, -1), null::uuid, coalesce(h.row_hash, '')
    from ends e
    left join public.stage_history h on h.client_id = e.client_id and h.version = e.version
    union all
    select
      n.client_id, n.version, n.salt,
      rules.row_hash(
        n.row_,
        rules.words_hash(n.salt, n.reason, n.on_behalf_of, n.triggered_by, n.payload, n.external_id),
        n.previous
      )
    from (
      -- the salt is drawn once a row, before the hash is made of it
      select
        h.*::public.stage_history as row_, h.client_id, h.version, h.reason, h.on_behalf_of, h.triggered_by, h.payload,
        h.external_id,
        gen_random_uuid() as salt, c.row_hash as previous
      from chain c
      join public.stage_history h on h.client_id = c.client_id and h.version = c.version + 1
    ) as n
  )
  update public.stage_history h
  set row_hash = c.row_hash, words_salt = c.words_salt
  from chain c
  where h.client_id = c.client_id
    and h.version = c.version
    and c.words_salt is not null;
  return v_last;
end
$$;

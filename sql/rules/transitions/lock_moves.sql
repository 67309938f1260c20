-- LOCK for a batch of moves: their keys and their clients.
create or replace function rules.lock_moves(moves jsonb[])
returns void
language plpgsql
volatile
as $$
begin
  perform rules.lock_key(keys.key)
  from (
    select distinct move ->> 'key' as key
    from unnest(moves) as move
    where move ->> 'key' is not null
    order by 1
  ) as keys;

  perform
  from public.clients c
  where c.id in (select (move ->> 'client_id')::bigint from unnest(moves) as move)
  order by c.id
  for no key update;
end
$$;

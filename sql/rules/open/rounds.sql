-- OPEN: the round in which each item of a batch is made. A client or an idempotency key that occurs twice is used again
-- in a later round, in the order of the items, so a round has no client and no key twice. Linear in the items.
create or replace function rules.rounds(items rules.item[])
returns integer[]
language plpgsql
immutable
as $$
#variable_conflict use_variable
declare
  v_rounds integer[] := array_fill(1, array[cardinality(items)]);
  v_client integer[];   -- the last round of each client and of each key, by their number
  v_key    integer[];
  v_item   record;
begin
  if (
    select count(i.client_id) = count(distinct i.client_id)
      and count((i.context).external_id) = count(distinct (i.context).external_id)
    from unnest(items) i
  ) then
    return v_rounds;
  end if;
  v_client := array_fill(0, array[cardinality(items) + 1]);
  v_key := v_client;
  for v_item in
    select
      row_number() over (order by i.place)::integer as nth,
      dense_rank() over (order by i.client_id)::integer as client,
      case when (i.context).external_id is not null then dense_rank() over (order by (i.context).external_id)::integer end as key
    from unnest(items) i
    order by i.place
  loop
    v_rounds[v_item.nth] := 1 + greatest(v_client[v_item.client], v_key[v_item.key]);
    v_client[v_item.client] := v_rounds[v_item.nth];
    if v_item.key is not null then
      v_key[v_item.key] := v_rounds[v_item.nth];
    end if;
  end loop;
  return v_rounds;
end
$$;

-- Put the states of their clients into items, and compute what each item would make of its client. An item whose client
-- is the same as before keeps its evaluation.
create or replace function rules.put_clients(
  items     rules.item[],
  clients   rules.client_state[],
  is_locked boolean
)
returns rules.item[]
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_ids    bigint[] := array[]::bigint[];
  v_item   rules.item;
  v_client rules.client_state;
begin
  for i in 1 .. cardinality(clients) loop
    v_ids := v_ids || clients[i].id;
  end loop;
  for i in 1 .. cardinality(items) loop
    v_item := items[i];
    v_client := clients[array_position(v_ids, v_item.client_id)];
    -- is_evaluated is null if the open step refused the item
    continue when v_client.id is null or v_item.is_evaluated is null or v_item.answer is not null;
    v_item.is_locked := is_locked;
    v_item.is_evaluated := is_locked and v_client is not distinct from v_item.before;
    if not v_item.is_evaluated then
      v_item.before := v_client;
      v_item.after := rules.state_after(
        v_client, v_item.action, v_item.word, v_item.fields, v_item.clear, v_item.close_period
      );
      v_item.violations := null;
    end if;
    items[i] := v_item;
  end loop;
  return items;
end
$$;

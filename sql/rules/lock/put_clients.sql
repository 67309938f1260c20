-- Put the states of their clients into items, and compute what each item would make of its client. An item whose client
-- is the same as before keeps its evaluation. Both lists are gone through once, in the order of the clients' ids.
create or replace function rules.put_clients(
  items     rules.item[],
  clients   rules.client_state[],   -- by id
  is_locked boolean
)
returns rules.item[]
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_order  integer[] := array[1];
  v_nth    integer;
  v_next   integer := 1;
  v_item   rules.item;
  v_client rules.client_state;
begin
  if cardinality(items) > 1 then
    v_order := array(select i.ordinality::integer from unnest(items) with ordinality as i order by i.client_id);
  end if;
  foreach v_nth in array v_order loop
    v_item := items[v_nth];
    while clients[v_next].id < v_item.client_id loop
      v_next := v_next + 1;
    end loop;
    v_client := clients[v_next];
    -- is_evaluated is null if the open step refused the item
    continue when (v_client.id = v_item.client_id) is not true or v_item.is_evaluated is null or v_item.answer is not null;
    v_item.is_locked := is_locked;
    v_item.is_evaluated := is_locked and v_client is not distinct from v_item.before;
    if not v_item.is_evaluated then
      v_item.before := v_client;
      v_item.after := rules.state_after(
        v_client, v_item.action, v_item.word, v_item.fields, v_item.clear, v_item.close_period
      );
      v_item.violations := null;
    end if;
    items[v_nth] := v_item;
  end loop;
  return items;
end
$$;

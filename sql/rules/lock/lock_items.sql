-- LOCK: the clients of items, each once, in the order of their ids. Only a change that no rule forbids takes a lock: every
-- item is evaluated on its unlocked client first, so a caller without permission holds up no one. A client that changed
-- before it was locked is evaluated again by the next step.
create or replace function rules.lock_items(items rules.item[])
returns rules.item[]
language plpgsql
volatile
as $$
#variable_conflict use_variable
declare
  v_clients rules.client_state[];
  v_item    rules.item;
  v_found   record;
begin
  for v_found in
    select i.nth::integer as nth, rules.state_of(c.*) as client
    from unnest(array(select i.client_id from unnest(items) i)) with ordinality as i (client_id, nth)
    join public.clients c on c.id = i.client_id
  loop
    v_item := items[v_found.nth];
    continue when v_item.is_evaluated is null or v_item.answer is not null;
    v_item.before := v_found.client;
    v_item.after := rules.state_after(v_found.client, v_item.action, v_item.word, v_item.fields, v_item.clear);
    v_item.is_evaluated := false;
    v_item.violations := null;
    items[v_found.nth] := v_item;
  end loop;
  items := rules.evaluate(items);

  v_clients := rules.lock_clients(array(
    select i.client_id from unnest(items) i where i.violations is null and i.answer is null
  ));
  for v_found in
    select i.nth::integer as nth, c as client
    from unnest(v_clients) c
    join unnest(array(select i.client_id from unnest(items) i)) with ordinality as i (client_id, nth)
      on i.client_id = c.id
  loop
    v_item := items[v_found.nth];
    continue when v_item.is_evaluated is null or v_item.answer is not null;
    v_item.is_evaluated := v_found.client is not distinct from v_item.before;
    if not v_item.is_evaluated then
      v_item.before := v_found.client;
      v_item.after := rules.state_after(v_found.client, v_item.action, v_item.word, v_item.fields, v_item.clear);
      v_item.violations := null;
    end if;
    items[v_found.nth] := v_item;
  end loop;
  return items;
end
$$;

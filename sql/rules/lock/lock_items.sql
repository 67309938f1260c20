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
  v_locked  record;
begin
  items := rules.evaluate_items(rules.read_items(items));
  v_clients := rules.lock_clients(array(
    select i.client_id from unnest(items) i where i.violations is null and i.answer is null
  ));
  for v_locked in
    select i.nth::integer as nth, c as state
    from unnest(v_clients) c
    join unnest(array(select i.client_id from unnest(items) i)) with ordinality as i (client_id, nth)
      on i.client_id = c.id
    where (items[i.nth]).is_evaluated is not null
      and (items[i.nth]).answer is null
  loop
    items[v_locked.nth].is_locked := true;
    items[v_locked.nth].is_evaluated := v_locked.state is not distinct from items[v_locked.nth].before;
    if not items[v_locked.nth].is_evaluated then
      items[v_locked.nth].before := v_locked.state;
      items[v_locked.nth].after := rules.state_after(items[v_locked.nth]);
      items[v_locked.nth].violations := null;
    end if;
  end loop;
  return items;
end
$$;

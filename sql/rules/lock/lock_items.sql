-- LOCK: the clients of items, each once, in the order of their ids. Only a change that no rule forbids takes a lock:
-- every item is evaluated on its unlocked client first, so a caller without permission never blocks others. A client
-- that changed before it was locked is evaluated again by the next step.
create or replace function rules.lock_items(items rules.item[])
returns rules.item[]
language plpgsql
volatile
as $$
#variable_conflict use_variable
declare
  v_ids     bigint[] := array[]::bigint[];
  v_clients rules.client_state[];
begin
  for i in 1 .. cardinality(items) loop
    v_ids := v_ids || items[i].client_id;
  end loop;
  v_clients := array(select rules.state_of(c.*) from public.clients c where c.id = any (v_ids) order by c.id);
  items := rules.evaluate(rules.put_clients(items, v_clients, is_locked => false));

  v_ids := array[]::bigint[];
  for i in 1 .. cardinality(items) loop
    if items[i].violations is null and items[i].answer is null then
      v_ids := v_ids || items[i].client_id;
    end if;
  end loop;
  if v_ids = '{}' then
    return items;
  end if;
  return rules.put_clients(items, rules.lock_clients(v_ids), is_locked => true);
end
$$;

-- WRITE the items that no rule forbids and that change something. An item whose client a host trigger or constraint
-- holds back gets the violation; the others are written.
create or replace function rules.write_items(items rules.item[])
returns rules.item[]
language plpgsql
volatile
as $$
#variable_conflict use_variable
declare
  v_changes rules.change[] := array[]::rules.change[];
  v_failed  record;
  v_nth     integer := 1;
begin
  for i in 1 .. cardinality(items) loop
    if items[i].violations is null and items[i].answer is null and (items[i].after).id is not null then
      v_changes := v_changes || row(items[i].context, items[i].before, items[i].after)::rules.change;
    end if;
  end loop;
  for v_failed in select w.client_id, w.violation from rules.write_changes(v_changes) w loop
    -- in the order of the items, which are of different clients
    while items[v_nth].client_id <> v_failed.client_id loop
      v_nth := v_nth + 1;
    end loop;
    items[v_nth].violations := array[v_failed.violation];
  end loop;
  return items;
end
$$;

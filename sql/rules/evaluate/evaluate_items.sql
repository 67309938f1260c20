-- EVALUATE items, and keep the violations with the items.
create or replace function rules.evaluate_items(items rules.item[])
returns rules.item[]
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_refused record;
begin
  for v_refused in select e.nth, e.violations from rules.evaluate(items) e loop
    items[v_refused.nth].violations := v_refused.violations;
  end loop;
  return items;
end
$$;

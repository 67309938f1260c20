-- WRITE the items that no rule forbids and that change something. An item whose client a host trigger or constraint holds
-- back gets the violation; the others are written.
create or replace function rules.write_items(items rules.item[])
returns rules.item[]
language plpgsql
volatile
as $$
#variable_conflict use_variable
declare
  v_changes rules.change[] := array(
    select (i.context, i.before, i.after)::rules.change
    from unnest(items) i
    where i.violations is null
      and i.answer is null
      and (i.after).id is not null
  );
  v_failed  record;
begin
  for v_failed in
    select i.nth::integer as nth, w.violation
    from rules.write_changes(v_changes) w
    join unnest(array(select i.client_id from unnest(items) i)) with ordinality as i (client_id, nth)
      on i.client_id = w.client_id
  loop
    items[v_failed.nth].violations := array[v_failed.violation];
  end loop;
  return items;
end
$$;

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
      and i.is_locked
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
  -- locked by no one, so not written: a grant covers the client only since the lock was taken
  for v_failed in
    select i.nth::integer as nth
    from unnest(items) with ordinality as i (
      place, client_id, action, word, fields, clear, expected_version, context, before, after, is_locked, is_evaluated,
      violations, answer, nth
    )
    where i.violations is null and i.answer is null and not i.is_locked
  loop
    items[v_failed.nth].violations := array[('client_locked', null)::rules.violation];
  end loop;
  return items;
end
$$;

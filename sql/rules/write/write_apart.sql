-- WRITE changes of which one may fail by itself: all at once, and where the host's side says no, in halves, until the
-- client in whose way it stands is alone. It stops no other. Answers who failed, and by what.
create or replace function rules.write_apart(changes rules.change[])
returns table (
  client_id  bigint,
  violations rules.violation[]
)
language plpgsql
volatile
as $$
#variable_conflict use_variable
declare
  v_half  constant integer := cardinality(changes) / 2;
  v_error jsonb;
begin
  if cardinality(changes) = 0 then
    return;
  end if;
  begin
    perform rules.write_changes(changes);
    -- what the host has put off until the commit is asked now, while it is known whose change it is
    set constraints all immediate;
    set constraints all deferred;
    return;
  exception
    when sqlstate 'PT409' or sqlstate 'PT503' or sqlstate 'PT422' or sqlstate 'PT403' then
      get stacked diagnostics v_error = pg_exception_detail;
    when raise_exception or integrity_constraint_violation then
      v_error := jsonb_build_object('rule', 'host_trigger_failed', 'said', left(sqlerrm, 2000));
  end;

  if v_half = 0 then
    client_id := (changes[1]).after.id;
    violations := array[(v_error ->> 'rule', v_error - '{rule,refusals}'::text[])::rules.violation];
    return next;
    return;
  end if;
  return query select w.client_id, w.violations from rules.write_apart(changes[:v_half]) w;
  return query select w.client_id, w.violations from rules.write_apart(changes[v_half + 1:]) w;
end
$$;

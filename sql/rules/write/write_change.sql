-- WRITE one change of a locked client, or refuse it with the message of the host's trigger or constraint.
create or replace function rules.write_change(change rules.change)
returns void
language plpgsql
volatile
as $$
#variable_conflict use_variable
declare
  v_violation rules.violation := (select w.violation from rules.write_changes(array[change]) w);
begin
  if v_violation.rule is not null then
    perform rules.refuse_all(array[v_violation], jsonb_build_object('client_id', (change.after).id));
  end if;
end
$$;

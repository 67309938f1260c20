-- WRITE changes of locked clients, into history and `clients` together. If a host trigger or constraint fails, bisect
-- until the failing client is isolated, and write the rest. Returns which clients failed, and why.
create or replace function rules.write_changes(changes rules.change[])
returns table (
  client_id bigint,
  violation rules.violation
)
language plpgsql
volatile
as $$
#variable_conflict use_variable
declare
  v_half       constant integer := cardinality(changes) / 2;
  v_clients    rules.client_state[] := array[]::rules.client_state[];
  v_state      text;
  v_message    text;
  v_constraint text;
  v_table      text;
begin
  if cardinality(changes) = 0 then
    return;
  end if;
  begin
    for i in 1 .. cardinality(changes) loop
      v_clients := v_clients || changes[i].after;
    end loop;
    perform rules.write_history(changes);
    perform rules.write_clients(v_clients);
    return;
  exception
    when others then
      get stacked diagnostics
        v_state = returned_sqlstate, v_message = message_text, v_constraint = constraint_name, v_table = table_name;
      violation := rules.host_violation(v_state, v_message, v_constraint, v_table);
      if violation is null then
        raise;
      end if;
  end;

  if v_half = 0 then
    client_id := (changes[1]).after.id;
    return next;
    return;
  end if;
  return query select w.client_id, w.violation from rules.write_changes(changes[:v_half]) w;
  return query select w.client_id, w.violation from rules.write_changes(changes[v_half + 1:]) w;
end
$$;

-- WRITE: changes that were evaluated, into history and `clients` together. The clients are locked.
-- What the host's triggers and constraints have against it is said as an error of ours, by name.
create or replace function rules.write_changes(changes rules.change[])
returns void
language plpgsql
volatile
as $$
#variable_conflict use_variable
declare
  v_state      text;
  v_said       text;
  v_constraint text;
  v_table      text;
begin
  perform rules.record_changes(changes);
  perform rules.write_clients(array(select ch.after from unnest(changes) as ch (context, before, after)));
exception
  when others then
    get stacked diagnostics
      v_state = returned_sqlstate, v_said = message_text, v_constraint = constraint_name, v_table = table_name;
    perform rules.refuse_as_host(v_state, v_said, v_constraint, v_table);
    raise;
end
$$;

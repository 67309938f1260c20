-- Refuse with the host's constraint or trigger that raised an error. Returns without raising if the error is ours or
-- the server's: the caller re-raises it.
create or replace function rules.refuse_as_host(
  state           text,
  message         text,
  constraint_name text,
  table_name      text,
  facts           jsonb default '{}'
)
returns void
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_violation rules.violation := rules.host_violation(state, message, constraint_name, table_name);
begin
  if v_violation.rule is not null then
    perform rules.refuse_all(array[v_violation], facts);
  end if;
end
$$;

-- For what is not about one client: grants, tokens, runs.
create or replace function rules.require_permission(
  actor_id   text,
  permission text
)
returns void
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_missing rules.violation := rules.missing_permission(actor_id, permission);
begin
  if v_missing is not null then
    perform rules.refuse_all(array[v_missing]);
  end if;
end
$$;

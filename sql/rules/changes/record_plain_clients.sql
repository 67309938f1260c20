-- AFTER INSERT STATEMENT on clients, for plain SQL: evaluate the new clients, then begin their histories with version
-- 0. Whoever may insert a client that says nothing of stages, as Atlas itself does, may.
create or replace function rules.record_plain_clients()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  v_context rules.change_context := rules.plain_context();
  v_changes rules.change[];
  v_client  record;
begin
  for v_client in
    select c.id, v.violations
    from new_clients n
    cross join lateral rules.state_of(n.*) c
    cross join lateral rules.new_client_violations(v_context.actor_id, c) as v (violations)
    where not rules.is_plain_client(c)
      and v.violations is not null
    order by c.id
    limit 1
  loop
    perform rules.refuse_all(v_client.violations);
  end loop;

  select array_agg((v_context, null, rules.state_of(n.*))::rules.change order by n.id) into v_changes
  from new_clients n;
  if v_changes is not null then
    perform rules.record_changes(v_changes);
  end if;
  return null;
end
$$;

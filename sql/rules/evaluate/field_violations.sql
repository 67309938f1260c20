-- EVALUATE a change of fields: every rule that forbids it; null if none does.
create or replace function rules.field_violations(
  actor_id text,
  client   rules.facts,
  before   rules.client_fields,
  after    rules.client_fields
)
returns rules.violation[]
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_changed constant text[] := array(
    select o.key from jsonb_each(to_jsonb(before)) o where o.value is distinct from to_jsonb(after) -> o.key order by 1
  );
  v_missing rules.violation;
begin
  if v_changed = '{}' then
    return null;
  end if;
  -- can_admin implies can_set_stage
  v_missing := rules.missing_permission(
    actor_id,
    case when exists (
      select from rules.field_catalog() c where c.field = any (v_changed) and c.permission = 'can_admin'
    ) then 'can_admin' else 'can_set_stage' end,
    client
  );
  if v_missing is not null then
    v_missing.facts := v_missing.facts || jsonb_build_object('fields', v_changed);
    return array[v_missing];
  end if;
  return rules.form_violations(after);
end
$$;

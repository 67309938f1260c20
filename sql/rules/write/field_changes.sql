-- The fields in which two states of a client differ that rules.fields_differ says differ, as
-- {"stage_owner": {"from": …, "to": …}}.
create or replace function rules.field_changes(
  before rules.client_state,
  after  rules.client_state
)
returns jsonb
language sql
immutable
as $$
  select jsonb_object_agg(o.key, jsonb_build_object('from', o.value, 'to', v_new.fields -> o.key))
  from jsonb_each(rules.fields_json(before)) as o
  cross join (select rules.fields_json(after)) as v_new (fields)
  where o.value is distinct from v_new.fields -> o.key
$$;

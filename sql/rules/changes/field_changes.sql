-- The fields of this system besides stage and flags in which two states of a client differ, as
-- {"stage_owner": {"from": …, "to": …}}; null when they differ in none.
create or replace function rules.field_changes(
  before rules.client_state,
  after  rules.client_state
)
returns jsonb
language plpgsql
immutable
as $$
#variable_conflict use_variable
begin
  if (
    before.stage_owner, before.stage_collaborators, before.stage_notes, before.service_tier,
    before.close_cadence, before.sales_tax_schedule, before.eligible_reviewers, before.active
  ) is not distinct from (
    after.stage_owner, after.stage_collaborators, after.stage_notes, after.service_tier,
    after.close_cadence, after.sales_tax_schedule, after.eligible_reviewers, after.active
  ) then
    return null;
  end if;
  return (
    select jsonb_object_agg(o.key, jsonb_build_object('from', o.value, 'to', v_new.fields -> o.key))
    from jsonb_each(rules.fields_json(before)) as o
    cross join (select rules.fields_json(after)) as v_new (fields)
    where o.value is distinct from v_new.fields -> o.key
  );
end
$$;

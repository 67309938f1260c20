-- EVALUATE a change of the other fields: owner, collaborators and notes are day-to-day work, the rest is the firm's
-- agreement with the client and an admin's. Whichever way they come, they have the same form. Null where none forbids
-- it.
create or replace function rules.field_violations(
  actor_id text,
  before   rules.client_state,
  after    rules.client_state
)
returns rules.violation[]
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_changed constant text[] := array(select jsonb_object_keys(rules.field_changes(before, after)) order by 1);
  v_missing rules.violation := rules.missing_permission(
    actor_id,
    case when v_changed <@ '{stage_owner,stage_collaborators,stage_notes}' then 'can_set_stage' else 'can_admin' end,
    client_id    => before.id,
    from_stage   => before.stage,
    service_tier => before.service_tier
  );
begin
  if v_missing is not null then
    v_missing.facts := v_missing.facts || jsonb_build_object('fields', v_changed);
    return array[v_missing];
  end if;
  return rules.form_violations(after);
end
$$;

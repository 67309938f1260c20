-- EVALUATE a new client: every rule that forbids it; null if none does. A client begins in onboarding. To begin in
-- another stage is a move from there, to begin with flags is to set them, and every field that is not the default is a
-- change of it.
create or replace function rules.new_client_violations(
  actor_id text,
  client   rules.client_state
)
returns rules.violation[]
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_begins     rules.client_state := client;
  v_facts      rules.facts;
  v_missing    rules.violation;
  v_violations rules.violation[];
  v_of_fields  rules.violation[];
  v_flag       text;
begin
  v_begins.stage := 'onboarding';
  v_begins.returning_to_stage := null;
  v_begins.fields.active := true;
  v_facts := (select f from rules.facts_of(v_begins, actor_id) f);

  v_missing := rules.missing_permission(actor_id, 'can_set_stage', v_facts, to_stage => client.stage);
  if v_missing is not null then
    v_violations := v_violations || v_missing;
  end if;
  if client.stage <> 'onboarding' then
    v_violations := v_violations || rules.move_violations(actor_id, v_facts, client.stage);
  end if;

  -- the flags and fields, as a client in its first stage
  v_facts.stage := client.stage;
  foreach v_flag in array client.flags loop
    v_violations := v_violations || rules.flag_violations(actor_id, v_facts, v_flag);
  end loop;
  v_of_fields := rules.field_violations(actor_id, v_facts, (rules.default_client()).fields, client.fields);
  -- can_set_stage is checked once
  if v_missing is null or v_of_fields[1].facts ->> 'permission' = 'can_admin' then
    v_violations := v_violations || v_of_fields;
  end if;
  return v_violations;
end
$$;

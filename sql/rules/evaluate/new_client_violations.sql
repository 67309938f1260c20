-- EVALUATE a new client: every rule that forbids it; null if none does. A client begins in onboarding. To begin in
-- another stage is a move from there, to begin with flags is to set them, and every field that is not the default is a
-- change of it. An actor that acts for a person is judged as by rules.judge.
create or replace function rules.new_client_violations(
  actor_id     text,
  client       rules.client_state,
  on_behalf_of text default null
)
returns rules.violation[]
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_judged     constant text := rules.judged_actor(actor_id, on_behalf_of);
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
  v_facts := (select f from rules.facts_of(v_begins, actor_id, on_behalf_of) f);

  v_missing := rules.missing_permission(v_judged, 'can_set_stage', v_facts, to_stage => client.stage);
  if v_missing is not null then
    v_violations := v_violations || v_missing;
  end if;
  if client.stage <> 'onboarding' then
    v_violations := v_violations || (
      select array_agg(v)
      from unnest(rules.move_violations(v_judged, v_facts, client.stage)) as v
      where v is distinct from v_missing
    );
  end if;

  -- the flags and fields, as a client in its first stage
  v_facts.stage := client.stage;
  foreach v_flag in array client.flags loop
    v_violations := v_violations || rules.flag_violations(v_judged, v_facts, v_flag);
  end loop;
  v_of_fields := rules.field_violations(v_judged, v_facts, (rules.default_client()).fields, client.fields);
  -- can_set_stage is reported once
  if v_missing is null or v_of_fields[1].facts ->> 'permission' = 'can_admin' then
    v_violations := v_violations || v_of_fields;
  end if;
  v_missing := rules.acting_violation(actor_id, v_judged, v_facts, to_stage => client.stage);
  if v_missing is not null then
    v_violations := v_violations || v_missing;
  end if;
  return v_violations;
end
$$;

-- EVALUATE a new client: every rule that forbids it; null where none does. A client begins in onboarding; beginning
-- elsewhere is moving there from onboarding, beginning with flags is setting them, and an agreement of its own is an
-- admin's.
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
  v_default    constant rules.client_state := rules.default_client();
  v_begins     rules.client_state := client;
  v_missing    rules.violation;
  v_violations rules.violation[] := rules.unknown_stage(client.stage);
  v_flag       text;
begin
  if v_violations is not null then
    return v_violations;
  end if;
  v_missing := rules.missing_permission(
    actor_id, 'can_set_stage',
    client_id => client.id, from_stage => 'onboarding', to_stage => client.stage, service_tier => client.service_tier
  );
  if v_missing is not null then
    v_violations := v_violations || v_missing;
  end if;

  if client.stage <> 'onboarding' then
    v_begins.stage := 'onboarding';
    v_begins.returning_to_stage := null;
    v_begins.active := true;
    v_violations := v_violations || rules.move_violations(actor_id, rules.facts_of(v_begins), client.stage);
  end if;
  foreach v_flag in array client.flags loop
    v_violations := v_violations || rules.flag_violations(actor_id, client, v_flag);
  end loop;

  if (client.service_tier, client.close_cadence, client.sales_tax_schedule, client.eligible_reviewers, client.active)
    is distinct from (
      v_default.service_tier, v_default.close_cadence, v_default.sales_tax_schedule, v_default.eligible_reviewers,
      v_default.active
    )
  then
    v_missing := rules.missing_permission(actor_id, 'can_admin', client_id => client.id, service_tier => client.service_tier);
    if v_missing is not null then
      v_violations := v_violations || v_missing;
    end if;
  end if;
  return coalesce(v_violations, rules.form_violations(client));
end
$$;

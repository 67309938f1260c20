-- EVALUATE a move, for the dry run and the real one alike: every rule that forbids it; null where none does.
-- The facts are those of the client before the move.
create or replace function rules.move_violations(
  actor_id text,
  client   rules.facts,
  to_stage text,
  override boolean default false
)
returns rules.violation[]
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_override   constant boolean := coalesce(override, false);
  v_allowed    constant text := (select a.permission from rules.allowed_stages(client) a where a.to_stage = move_violations.to_stage);
  v_permission text := case when v_override then 'can_admin' else v_allowed end;
  v_missing    rules.violation;
  v_violations rules.violation[];
begin
  -- Who may: an override asks for can_admin and nothing else.
  if v_permission is null then
    v_permission := case (select s.kind from public.stages s where s.stage = to_stage)
      when 'exit' then 'can_offboard' else 'can_set_stage'
    end;
  end if;
  v_missing := rules.missing_permission(
    actor_id, v_permission, client_id => client.client_id, from_stage => client.stage, to_stage => to_stage,
    service_tier => client.service_tier
  );
  if v_missing is not null then
    if v_override then
      v_missing.rule := 'override_needs_admin';
    end if;
    v_violations := v_violations || v_missing;
  end if;
  if v_allowed = 'can_sign_off_eom_review' and not v_override then
    v_violations := v_violations || rules.sign_off_violations(actor_id, client);
  end if;

  -- What may follow what.
  if v_allowed is null and (not v_override or client.stage = to_stage) then
    v_violations := v_violations || ('transition_not_allowed', jsonb_build_object(
      'from_stage', client.stage,
      'to_stage', to_stage,
      'allowed_stages', (select coalesce(jsonb_agg(a.to_stage order by a.to_stage), '[]') from rules.allowed_stages(client) a)
    ))::rules.violation;
  end if;
  if not client.active then
    v_violations := v_violations || ('client_inactive', null)::rules.violation;
  end if;
  return v_violations;
end
$$;

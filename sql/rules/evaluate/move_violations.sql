-- EVALUATE a move, real or dry run: every rule that forbids it; null if none does.
create or replace function rules.move_violations(
  actor_id     text,
  client       rules.facts,            -- before the move
  to_stage     text,
  override     boolean default false,  -- an admin's move past the transitions
  on_behalf_of text default null
)
returns rules.violation[]
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_kind       text;
  v_allowed    text;   -- the permission that the transition needs; null: there is no such transition
  v_missing    rules.violation;
  v_violations rules.violation[];
begin
  select s.kind, a.permission
  into v_kind, v_allowed
  from public.stages s
  left join rules.allowed_stages(client) a on a.to_stage = s.stage
  where s.stage = move_violations.to_stage;
  if v_kind is null then
    return rules.unknown_stage(to_stage);
  end if;

  -- permission
  v_missing := rules.missing_permission(
    actor_id,
    case
      when override then 'can_admin'
      when v_allowed is not null then v_allowed
      when v_kind = 'exit' then 'can_offboard'
      else 'can_set_stage'
    end,
    client,
    to_stage => to_stage
  );
  if v_missing is not null then
    if override then
      v_missing.rule := 'override_needs_admin';
    end if;
    v_violations := v_violations || v_missing;
  end if;
  if v_allowed = 'can_sign_off_eom_review' and not override then
    v_violations := v_violations || rules.sign_off_violations(actor_id, on_behalf_of, client);
  end if;

  -- transitions
  if v_allowed is null and (not override or client.stage = to_stage) then
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

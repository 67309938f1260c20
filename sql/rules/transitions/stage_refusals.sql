-- The one evaluator of moves, for the dry run and the real move alike: every rule that forbids this move,
-- as an array of refusals, or null when it is allowed. The facts are those of the client before the move.
create or replace function rules.stage_refusals(
  actor_id           text,
  client_id          bigint,
  from_stage         text,
  to_stage           text,
  returning_to_stage text,
  active             boolean,
  service_tier       text,
  eligible_reviewers text[],
  override           boolean
)
returns jsonb
language plpgsql
stable
as $$
declare
  v_permission text;
  v_is_granted boolean;
  v_missing    jsonb;
  v_refusals   jsonb := jsonb '[]';
begin
  select
    t.permission,
    exists (
      select
      from rules.covering_grants(
        actor_id, case when override then 'can_admin' else t.permission end, client_id,
        t.from_stage, t.to_stage, null, service_tier
      )
    )
  into v_permission, v_is_granted
  from public.stage_transitions t
  where t.from_stage = stage_refusals.from_stage
    and t.to_stage = stage_refusals.to_stage
    and rules.may_follow(t.from_stage, t.to_stage, stage_refusals.returning_to_stage);

  -- Who may: an override asks for can_admin and nothing else.
  if v_is_granted is not true then
    v_missing := rules.missing_permission(
      actor_id,
      case
        when override then 'can_admin'
        when v_permission is not null then v_permission
        when to_stage = 'offboarding' then 'can_offboard'
        else 'can_set_stage'
      end,
      client_id    => client_id,
      from_stage   => from_stage,
      to_stage     => to_stage,
      service_tier => service_tier
    );
    if v_missing is not null then
      v_refusals := v_refusals || case
        when override then rules.refusal('override_needs_admin', v_missing - '{rule,status,message,hint}'::text[])
        else v_missing
      end;
    end if;
  end if;

  if v_permission = 'can_sign_off_eom_review' and not override then
    v_refusals := v_refusals || rules.sign_off_refusals(actor_id, client_id, eligible_reviewers);
  end if;

  -- What may follow what.
  if v_permission is null and (not override or from_stage = to_stage) then
    v_refusals := v_refusals || rules.refusal('transition_not_allowed', jsonb_build_object(
      'from_stage', from_stage,
      'to_stage', to_stage,
      'allowed_stages', rules.allowed_stages(from_stage, returning_to_stage)
    ));
  end if;
  if not active then
    v_refusals := v_refusals || rules.refusal('client_inactive');
  end if;

  return nullif(v_refusals, '[]');
end
$$;

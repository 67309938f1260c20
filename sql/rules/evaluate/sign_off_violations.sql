-- What stands, besides the permission, between an actor and the sign-off of a client's review; null where nothing does.
create or replace function rules.sign_off_violations(
  actor_id text,
  client   rules.facts
)
returns rules.violation[]
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_violations rules.violation[];
begin
  if actor_id <> all (client.eligible_reviewers) then
    v_violations := v_violations || ('not_eligible_reviewer', jsonb_build_object(
      'actor_id', actor_id, 'eligible_reviewers', client.eligible_reviewers
    ))::rules.violation;
  end if;

  if (select s.separate_reviewer from public.stage_settings s)
    and actor_id = (
      select h.actor_id
      from public.stage_history h
      where h.client_id = client.client_id
        and h.to_stage = 'eom_review'
        -- coming back from a pause, or a rollback, is nobody's moving in
        and h.from_returning_to is distinct from h.to_stage
        and h.trigger_type <> 'rollback'
      order by h.version desc
      limit 1
    )
  then
    v_violations := v_violations || ('reviewer_moved_it_in', jsonb_build_object('actor_id', actor_id))::rules.violation;
  end if;
  return v_violations;
end
$$;

-- What stands, besides the permission, between an actor and the sign-off of a client's review.
create or replace function rules.sign_off_refusals(
  actor_id           text,
  client_id          bigint,
  eligible_reviewers text[]
)
returns jsonb
language plpgsql
stable
as $$
declare
  v_refusals jsonb := jsonb '[]';
begin
  if actor_id <> all (eligible_reviewers) then
    v_refusals := v_refusals || rules.refusal('not_eligible_reviewer', jsonb_build_object(
      'actor_id', actor_id,
      'eligible_reviewers', eligible_reviewers
    ));
  end if;

  if (select s.separate_reviewer from public.stage_settings s)
    and actor_id = (
      select h.actor_id
      from public.stage_history h
      where h.client_id = sign_off_refusals.client_id
        and h.to_stage = 'eom_review'
        -- coming back from a pause, or a rollback, is nobody's moving in
        and h.from_returning_to is distinct from h.to_stage
        and h.trigger_type <> 'rollback'
      order by h.version desc
      limit 1
    )
  then
    v_refusals := v_refusals || rules.refusal('reviewer_moved_it_in', jsonb_build_object('actor_id', actor_id));
  end if;

  return v_refusals;
end
$$;

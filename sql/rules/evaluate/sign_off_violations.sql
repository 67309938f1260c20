-- EVALUATE a sign-off: the rules besides the permission that forbid it; null if none does.
create or replace function rules.sign_off_violations(
  actor_id     text,
  on_behalf_of text,
  client       rules.facts
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
  if client.handed_over_by && array[actor_id, on_behalf_of] and (select s.separate_reviewer from public.stage_settings s) then
    v_violations := v_violations || ('reviewer_moved_it_in', jsonb_build_object(
      'actor_id', actor_id, 'handed_over_by', client.handed_over_by
    ))::rules.violation;
  end if;
  return v_violations;
end
$$;

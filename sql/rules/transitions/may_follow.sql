-- Whether a stage may follow another one, given that the transition has a row in stage_transitions:
-- out of a pause a client goes on where it came from.
create or replace function rules.may_follow(
  from_stage         text,
  to_stage           text,
  returning_to_stage text
)
returns boolean
language sql
immutable
parallel safe
return not rules.is_pause(from_stage)
  or rules.is_pause(to_stage)
  or to_stage = 'offboarding'
  or coalesce(to_stage = returning_to_stage, false);

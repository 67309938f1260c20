-- The violation of an actor that acts for a person and whose can_act_for doesn't cover the change; null if it does, or
-- if the actor itself is judged. SQL, so that the planner inlines it.
create or replace function rules.acting_violation(
  actor_id text,
  judged   text,                       -- rules.judged_actor
  client   rules.facts,
  to_stage text default null,
  flag     text default null
)
returns rules.violation
language sql
stable
as $$
  select case
    when judged <> actor_id then rules.missing_permission(actor_id, 'can_act_for', client, to_stage, flag, judged)
  end
$$;

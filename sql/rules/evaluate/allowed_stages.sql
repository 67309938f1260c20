-- The stages that a client can go to by the transitions alone. From a pause these are the stage that it came from, the
-- other pause, and offboarding. SQL, so that the planner inlines it.
create or replace function rules.allowed_stages(client rules.facts)
returns table (
  to_stage   text,
  permission text
)
language sql
stable
as $$
  select t.to_stage, t.permission
  from public.stage_transitions t
  join public.stages s on s.stage = t.to_stage
  where t.from_stage = client.stage
    and (
      client.returning_to_stage is null
      or t.to_stage = client.returning_to_stage
      or s.kind in ('pause', 'exit')
    )
$$;

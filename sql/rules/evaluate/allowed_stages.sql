-- Where a client may go from here, by the transitions alone: out of a pause it goes back to where it came from, to the
-- other pause, or away. SQL, so that it becomes part of the query that asks.
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

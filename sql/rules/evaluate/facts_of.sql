-- What the rules of a move may look at. SQL, so that it becomes part of the query that asks.
create or replace function rules.facts_of(
  client rules.client_state,
  each   boolean default true   -- whether it matters which client it is
)
returns rules.facts
language sql
immutable
as $$
  select row(
    case when each then client.id end, client.stage, client.returning_to_stage, client.active, client.service_tier,
    client.eligible_reviewers
  )::rules.facts
$$;

-- The facts that rules can use, for one client and the calling actor. A table function, so that the planner inlines it.
create or replace function rules.facts_of(
  client   rules.client_state,
  actor_id text
)
returns setof rules.facts
language sql
stable
as $$
  select
    client.stage,
    client.returning_to_stage,
    (client.fields).active,
    (client.fields).service_tier,
    (client.fields).eligible_reviewers,
    case when client.stage = 'eom_review' then (
      select array_remove(array[m.actor_id, m.on_behalf_of], null)
      from rules.moves() m
      where m.client_id = client.id
        and m.to_stage = 'eom_review'
        and m.is_in_force
        -- a resume from a pause hands nothing over
        and m.from_returning_to is distinct from m.to_stage
      order by m.version desc
      limit 1
    ) end,
    array(
      select g.id
      from rules.live_grants(facts_of.actor_id) g
      where g.scope ? 'clients'
        and g.scope -> 'clients' @> to_jsonb(client.id)
      order by g.id
    )
$$;

-- The facts that rules can use, for one client, the calling actor, and the person that it may act for. A table
-- function, so that the planner inlines it.
create or replace function rules.facts_of(
  client       rules.client_state,
  actor_id     text,
  on_behalf_of text default null
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
      from public.agent_permissions g
      where g.actor_id in (facts_of.actor_id, facts_of.on_behalf_of)
        and g.revoked_at is null
        and g.scope ? 'clients'
        and g.scope -> 'clients' @> to_jsonb(client.id)
      order by g.id
    )
$$;

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
      select h.actor_id
      from public.stage_history h
      where h.client_id = client.id
        and h.to_stage = 'eom_review'
        -- neither a resume from a pause nor a rollback hands a client over
        and h.from_returning_to is distinct from h.to_stage
        and h.trigger_type <> 'rollback'
      order by h.version desc
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

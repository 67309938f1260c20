-- Whether a client really is work for an actor: a review that it may sign off, or one that a scoped grant covers.
create or replace function rules.is_work_for(
  actor_id text,
  client   rules.client_state,
  why      text
)
returns boolean
language plpgsql
stable
as $$
#variable_conflict use_variable
begin
  if why = 'review' then
    return rules.move_violations(actor_id, rules.facts_of(client), 'weekly') is null;
  end if;
  return exists (
    select
    from rules.live_grants g
    where g.actor_id = actor_id
      and g.scope ?| '{from,clients,service_tiers}'
      -- where it may lead to, and with which flag, is not the question here
      and rules.scope_mismatches(
        g.scope - '{to,flags}'::text[], client.id, client.stage, null, null, client.service_tier
      ) is null
  );
end
$$;

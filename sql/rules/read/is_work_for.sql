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
declare
  v_facts constant rules.facts := (select f from rules.facts_of(client, actor_id) f);
begin
  if why = 'review' then
    return rules.move_violations(actor_id, v_facts, 'weekly') is null;
  end if;
  return exists (
    select
    from rules.live_grants g
    where g.actor_id = actor_id
      and g.scope ?| '{from,clients,service_tiers}'
      -- where it may lead to, and with which flag, is not the question here
      and rules.scope_mismatches(g.id, g.scope - '{to,flags}'::text[], v_facts, null, null) is null
  );
end
$$;

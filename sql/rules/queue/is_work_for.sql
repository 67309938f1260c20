-- Whether a client in one of an actor's queue_stages really is work for it.
create or replace function rules.is_work_for(
  actor_id text,
  client   public.clients,
  why      text
)
returns boolean
language plpgsql
stable
as $$
begin
  if why = 'review' then
    return rules.stage_refusals(
      actor_id, client.id, client.stage, 'weekly', client.returning_to_stage, client.active, client.service_tier,
      client.eligible_reviewers, false
    ) is null;
  end if;
  return exists (
    select
    from rules.live_grants(actor_id) g
    where g.scope ? 'from'
      -- where it may lead to, and with which flag, is not the question here
      and rules.scope_mismatches(
        g.scope - '{to,flags}'::text[], client.id, client.stage, null, null, client.service_tier
      ) is null
  );
end
$$;

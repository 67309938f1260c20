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
#variable_conflict use_variable
begin
  if why = 'review' then
    return rules.move_violations(actor_id, rules.state_of(client), 'weekly') is null;
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

-- The actor's grants that are not revoked. Inlined into the query that calls it. Not a view: a deploy
-- that replaces a view locks it, and writers, who read it before they lock a client, would deadlock
-- with that deploy.
create or replace function rules.live_grants(actor_id text)
returns setof public.agent_permissions
language sql
stable
as $$
  select g.*
  from public.agent_permissions g
  where g.actor_id = live_grants.actor_id
    and g.revoked_at is null
$$;

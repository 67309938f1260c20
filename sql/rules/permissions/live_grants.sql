-- What an actor was granted and still has. SQL, so that it becomes part of the query that asks.
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

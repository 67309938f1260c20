-- The live grants that let an actor do something. Several are alternatives; can_admin implies every permission,
-- within its own scope. SQL, so that it becomes part of the query that asks.
create function rules.covering_grants(
  actor_id     text,
  permission   text,
  client_id    bigint,
  from_stage   text,
  to_stage     text,
  flag         text,
  service_tier text
)
returns setof public.agent_permissions
language sql
stable
as $$
  select g.*
  from public.agent_permissions g
  where g.actor_id = covering_grants.actor_id
    and g.revoked_at is null
    and g.permission in (covering_grants.permission, 'can_admin')
    and (
      g.scope is null
      or rules.scope_mismatches(g.scope, client_id, from_stage, to_stage, flag, service_tier) is null
    )
$$;

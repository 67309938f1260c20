-- The live grants that let an actor do something: of several, any will do.
create or replace function rules.covering_grants(
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
  from rules.grants_of_permission(covering_grants.actor_id, covering_grants.permission) g
  where g.scope is null
    or rules.scope_mismatches(g.scope, client_id, from_stage, to_stage, flag, service_tier) is null
$$;

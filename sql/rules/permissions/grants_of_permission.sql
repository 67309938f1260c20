-- The live grants that give an actor a permission, each within its scope: can_admin implies every permission.
create or replace function rules.grants_of_permission(
  actor_id   text,
  permission text
)
returns setof public.agent_permissions
language sql
stable
as $$
  select g.*
  from rules.live_grants(grants_of_permission.actor_id) g
  where g.permission in (grants_of_permission.permission, 'can_admin')
$$;

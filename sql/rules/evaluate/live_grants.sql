-- The grants that are not revoked.
create or replace view rules.live_grants as
select
  g.id,
  g.actor_id,
  g.permission,
  g.scope
from public.agent_permissions as g
where g.revoked_at is null;

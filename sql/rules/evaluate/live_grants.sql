-- The grants that are not revoked.
create or replace view rules.live_grants as
select g.*
from public.agent_permissions g
where g.revoked_at is null;

-- What actors were granted and still have.
create or replace view rules.live_grants as
select g.*
from public.agent_permissions g
where g.revoked_at is null;

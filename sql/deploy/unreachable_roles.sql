-- Owner roles that the deployer can neither use nor grant to itself.
select r.rolname::text
from pg_catalog.pg_roles as r
where r.rolname in ('atlas_owner', 'atlas_writer')
  and not pg_catalog.pg_has_role(current_user, r.oid, 'usage')
  and not pg_catalog.pg_has_role(current_user, r.oid, 'member with admin option')
  and not (
    current_setting('server_version_num')::integer < 160000
    and (select me.rolcreaterole from pg_catalog.pg_roles as me
where me.rolname = current_user)
  );

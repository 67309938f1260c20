-- This database, if PUBLIC can create temporary objects in it: name, owner, and whether the deployer can revoke that.
select
  d.datname::text,
  d.datdba::regrole::text,
  pg_catalog.pg_has_role(current_user, d.datdba, 'usage')
from pg_catalog.pg_database as d
where d.datname = current_database()
  and exists (
    select
    from aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) as a
    where a.grantee = 0
      and a.privilege_type = 'TEMPORARY'
  );

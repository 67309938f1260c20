-- Our roles that the deployer can't grant to itself, as one list. $1: the names of our roles.
select
  current_user::text,
  string_agg(r.rolname, ', ' order by r.rolname),
  current_setting('server_version_num')::integer >= 160000
from pg_catalog.pg_roles as r
where r.rolname = any($1::text[])
  and not pg_catalog.pg_has_role(current_user, r.oid, 'member with admin option');

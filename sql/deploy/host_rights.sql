-- What the host's roles can execute of ours, by function name, because signatures can change: function, role.
-- $1: the schemas; $2: the owner roles; $3: all our roles.
select distinct
  format('%I.%I', n.nspname, p.proname),
  a.grantee::regrole::text
from pg_catalog.pg_proc as p
inner join pg_catalog.pg_namespace as n on p.pronamespace = n.oid
cross join lateral aclexplode(p.proacl) as a
where n.nspname = any($1::text[])
  and p.proowner::regrole::text = any($2::text[])
  and a.grantee <> 0
  and a.grantee <> p.proowner
  and not (a.grantee::regrole::text = any($3::text[]))
order by 1, 2;

-- Tables of ours without the policy that lets the owner roles see every row. $1: every word in the migrations.
select c.oid::regclass::text
from pg_catalog.pg_class as c
where c.relnamespace = 'public'::regnamespace
  and c.relkind in ('r', 'p')
  and c.relname = any($1::text[])
  and exists (
    select from aclexplode(c.relacl) as a
where a.grantee::regrole::text in ('atlas_owner', 'atlas_writer')
  )
  and not exists (
    select from pg_catalog.pg_policy as p
where p.polrelid = c.oid and p.polname = 'atlas_stage'
  )
order by 1;

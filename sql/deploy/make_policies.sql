-- Let the owner roles see every row of our tables, in case the host turns on row level security.
-- $1: every word in the migrations.
select
  format(
    'create policy atlas_stage on %s to atlas_owner, atlas_writer using (true) with check (true)', c.oid::regclass
  )
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
  );

-- Rights on our tables, sequences, views and internal functions that no role but ours and the owner should have, each
-- as what to report and the statement that revokes it. Reading is the host's choice, except for PUBLIC,
-- which includes the API roles. An internal function is one that runs with our rights and that no role of ours can
-- call. $1: every word in the migrations; $2: our schemas; $3: our roles.
with tables as (
  select c.oid, c.relname
  from pg_catalog.pg_class as c
  where c.relnamespace = 'public'::regnamespace
    and c.relkind in ('r', 'p')
    and c.relname = any($1::text[])
    and c.relname not in ('clients', 'atlas_migrations')
    and (
      c.relname = 'stage_deploys'
      or exists (
        select from aclexplode(c.relacl) as a
where a.grantee::regrole::text = 'atlas_owner'
      )
    )
),

relations as (
  select t.oid, 'table' as kind, t.oid::regclass::text as name from tables as t
  union all
  select d.objid, 'sequence', d.objid::regclass::text
  from tables as t
  inner join pg_catalog.pg_depend as d on t.oid = d.refobjid and d.classid = 'pg_class'::regclass
  inner join pg_catalog.pg_class as s on d.objid = s.oid and s.relkind = 'S'
  union all
  select v.oid, 'table', v.oid::regclass::text
  from pg_catalog.pg_class as v
  inner join pg_catalog.pg_namespace as n on v.relnamespace = n.oid
  where v.relkind = 'v'
    and n.nspname = any($2::text[])
),

rights as (
  select r.kind, r.name, c.relowner as owner, a.grantee, a.privilege_type, null as part
  from relations as r
  inner join pg_catalog.pg_class as c on r.oid = c.oid
  cross join lateral aclexplode(c.relacl) as a
  union all
  select r.kind, r.name, c.relowner, a.grantee, a.privilege_type, f.attname
  from relations as r
  inner join pg_catalog.pg_class as c on r.oid = c.oid
  inner join pg_catalog.pg_attribute as f on r.oid = f.attrelid
  cross join lateral aclexplode(f.attacl) as a
  where not f.attisdropped
  union all
  select 'routine', p.oid::regprocedure::text, p.proowner, a.grantee, a.privilege_type, null
  from pg_catalog.pg_proc as p
  inner join pg_catalog.pg_namespace as n on p.pronamespace = n.oid
  cross join lateral aclexplode(p.proacl) as a
  where n.nspname = any($2::text[])
    and n.nspname <> 'api'
    and p.prosecdef
    and not exists (
      select from aclexplode(p.proacl) as ours
where ours.grantee::regrole::text = any($3::text[])
        and ours.grantee::regrole::text not in ('atlas_owner', 'atlas_writer')
    )
),

foreign_rights as (
  select
    r.kind, r.name, r.part,
    lower(string_agg(r.privilege_type, ', ' order by r.privilege_type)) as rights,
    string_agg(
      r.privilege_type || coalesce(' (' || quote_ident(r.part) || ')', ''), ', ' order by r.privilege_type
    ) as revoked,
    case r.grantee when 0 then 'PUBLIC' else r.grantee::regrole::text end as role
  from rights as r
  where r.grantee <> r.owner
    and (r.grantee = 0 or r.grantee::regrole::text <> all($3::text[]))
    and (r.privilege_type <> 'SELECT' or r.grantee = 0)
  group by r.kind, r.name, r.part, r.grantee
)

select
  format('%s: revoked %s from %s', f.name || coalesce('.' || f.part, ''), f.rights, f.role),
  -- cascade: also what the role passed on
  format('revoke %s on %s %s from %s cascade', f.revoked, f.kind, f.name, f.role)
from foreign_rights as f
order by f.part is not null, f.name, f.role;

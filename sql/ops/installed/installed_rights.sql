-- The rights of our roles on the tables, their columns and sequences, as ops.installation lists them.
create or replace function ops.installed_rights(
  tables oid[],
  roles  oid[]
)
returns setof ops.installed
language plpgsql
stable
as $$
#variable_conflict use_variable
begin
  return query
    select
      'table', c.oid::regclass::text, 'rights of ' || a.grantee::regrole::text,
      string_agg(a.privilege_type, ', ' order by a.privilege_type), c.oid::regclass::text,
      format(
        'grant %s on table %s to %s', string_agg(a.privilege_type, ', ' order by a.privilege_type), c.oid::regclass,
        a.grantee::regrole
      ),
      true, array[c.relname::text]
    from pg_catalog.pg_class c
    cross join lateral aclexplode(c.relacl) a
    where c.oid = any(tables)
      and a.grantee = any(roles)
      and a.grantee <> c.relowner
    group by c.oid, c.relname, a.grantee
    union all
    select
      'column', format('%s.%I', a.attrelid::regclass, a.attname), 'rights of ' || acl.grantee::regrole::text,
      string_agg(acl.privilege_type, ', ' order by acl.privilege_type), a.attrelid::regclass::text,
      format(
        'grant %s (%I) on table %s to %s', string_agg(acl.privilege_type, ', ' order by acl.privilege_type),
        a.attname, a.attrelid::regclass, acl.grantee::regrole
      ),
      true, array[a.attname::text]
    from pg_catalog.pg_attribute a
    cross join lateral aclexplode(a.attacl) acl
    where a.attrelid = any(tables)
      and acl.grantee = any(roles)
      and not a.attisdropped
    group by a.attrelid, a.attname, acl.grantee
    union all
    select
      'sequence', s.oid::regclass::text, 'rights of ' || a.grantee::regrole::text,
      string_agg(a.privilege_type, ', ' order by a.privilege_type), d.refobjid::regclass::text,
      format(
        'grant %s on sequence %s to %s', string_agg(a.privilege_type, ', ' order by a.privilege_type),
        s.oid::regclass, a.grantee::regrole
      ),
      true, '{}'
    from pg_catalog.pg_class s
    join pg_catalog.pg_depend d on d.objid = s.oid and d.classid = 'pg_class'::regclass and d.deptype in ('a', 'i')
    cross join lateral aclexplode(s.relacl) a
    where s.relkind = 'S'
      and d.refobjid = any(tables)
      and a.grantee = any(roles)
      and a.grantee <> s.relowner
    group by s.oid, d.refobjid, a.grantee;
end
$$;

-- Our roles and their memberships, as ops.installation lists them.
create or replace function ops.installed_roles(
  roles oid[]
)
returns setof ops.installed
language plpgsql
stable
as $$
#variable_conflict use_variable
begin
  return query
    select
      'role', r.rolname::text, 'may',
      concat_ws(
        ' ',
        case when r.rolcanlogin then 'login' else 'nologin' end,
        case when r.rolinherit then 'inherit' else 'noinherit' end,
        case when r.rolsuper then 'superuser' end,
        case when r.rolcreaterole then 'createrole' end,
        case when r.rolcreatedb then 'createdb' end,
        case when r.rolreplication then 'replication' end,
        case when r.rolbypassrls then 'bypassrls' end
      ),
      null::text,
      format(
        'create role %I %s %s', r.rolname, case when r.rolcanlogin then 'login' else 'nologin' end,
        case when r.rolinherit then 'inherit' else 'noinherit' end
      ),
      true, '{}'::text[]
    from pg_catalog.pg_roles r
    where r.oid = any(roles)
    union all
    select
      'role', m.member::regrole::text, 'member of ' || m.roleid::regrole::text, 'yes', null,
      format('grant %s to %s', m.roleid::regrole, m.member::regrole), true, '{}'
    from pg_catalog.pg_auth_members m
    where m.member = any(roles)
      and m.roleid = any(roles)
    group by m.member, m.roleid;
end
$$;

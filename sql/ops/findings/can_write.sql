-- The logins that can write our tables, sequences or views past the functions, and how: rights on an object or a column
-- of it, a predefined role, or ownership, each held by the login or by a role that it can use or become.
create or replace function ops.can_write()
returns setof ops.finding
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_modern constant boolean := current_setting('server_version_num')::integer >= 160000;
begin
  return query
    with tables as (
      select c.oid, c.relname, c.relowner, c.relacl
      from pg_catalog.pg_class c
      where c.relkind in ('r', 'p', 'v')
        and (
          c.relnamespace = 'public'::regnamespace
            and c.relname not in ('clients', 'atlas_migrations')
            and (
              c.relname = 'stage_deploys'
              or exists (select from public.stage_installation i where i.relation = c.oid::regclass::text)
            )
          or c.relnamespace::regnamespace::text in ('rules', 'api', 'jobs', 'ops')
        )
    ),
    granted as (
      select t.relname, t.relowner, a.grantee, a.privilege_type
      from tables t
      cross join lateral aclexplode(t.relacl) a
      union all
      select t.relname, t.relowner, a.grantee, a.privilege_type
      from tables t
      join pg_catalog.pg_attribute f on f.attrelid = t.oid
      cross join lateral aclexplode(f.attacl) a
      union all
      select s.relname, s.relowner, a.grantee, a.privilege_type
      from tables t
      join pg_catalog.pg_depend d on d.refobjid = t.oid and d.classid = 'pg_class'::regclass
      join pg_catalog.pg_class s on s.oid = d.objid and s.relkind = 'S'
      cross join lateral aclexplode(s.relacl) a
    ),
    holders as (
      select
        g.grantee as role, true as is_wrong, 'run: atlas-stage migrate' as todo,
        format('%s on %s', lower(string_agg(distinct g.privilege_type, ', ')), g.relname) as way
      from granted g
      where g.grantee <> g.relowner
        and g.privilege_type not in ('SELECT', 'REFERENCES', 'MAINTAIN')
      group by g.grantee, g.relname
      union all
      select r.oid, true, null, 'pg_write_all_data' from pg_catalog.pg_roles r where r.rolname = 'pg_write_all_data'
      union all
      select t.relowner, false, null, 'owns ' || string_agg(t.relname, ', ' order by t.relname)
      from tables t
      where t.relowner::regrole::text not in ('atlas_owner', 'atlas_writer')
      group by t.relowner
      union all
      select n.nspowner, false, null, 'owns schema public, so it can replace its tables'
      from pg_catalog.pg_namespace n
      where n.nspname = 'public'
      union all
      select r.oid, false, null, 'superuser' from pg_catalog.pg_roles r where r.rolsuper
    ),
    ways as (
      select
        l.rolname, h.way, h.todo, h.role, h.is_wrong and reach.at_once as is_wrong, reach.at_once,
        case when h.role not in (0, l.oid) then h.role::regrole::text end as through
      from holders h
      join pg_catalog.pg_roles l on l.rolcanlogin and not l.rolsuper
      cross join lateral (
        select
          h.role = 0 or pg_has_role(l.oid, h.role, case when v_modern then 'usage, set' else 'member' end) as at_once,
          h.role = 0 or pg_has_role(l.oid, h.role, 'member') as at_all
      ) reach
      where reach.at_all
        and (h.role = 0 or h.role::regrole::text not in ('atlas_owner', 'atlas_writer'))
    )
    select
      'can_write', case when w.is_wrong then 'error' else 'notice' end,
      jsonb_build_object('login', w.rolname, 'ways', jsonb_agg(jsonb_build_object(
        'how', w.way, 'role', w.through, 'at_once', w.at_once
      ))),
      format(
        'login %s can write past the rules%s: %s', w.rolname,
        case when bool_or(w.at_once) then '' else ' once it has granted itself a role' end,
        string_agg(w.way || coalesce(' as a member of ' || w.through, ''), '; ' order by w.way)
      ),
      coalesce(
        string_agg(distinct coalesce(w.todo, (
          select string_agg(format('revoke %I from %I;', w.role::regrole::text, m.member::regrole::text), ' ')
          from pg_catalog.pg_auth_members m
          where m.roleid = w.role and pg_has_role(w.rolname, m.member, 'member')
        )), ' '),
        'it deploys, or should not: let the application log in as another role'
      )
    from ways w
    group by w.rolname, w.is_wrong
    order by 2, w.rolname;
end
$$;

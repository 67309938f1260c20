-- Default privileges that give a role of the host rights to new tables, sequences or functions of ours. A deploy
-- revokes the right in the transaction that creates the object; a restore doesn't.
create or replace function ops.default_right()
returns setof ops.finding
language plpgsql
stable
as $$
#variable_conflict use_variable
begin
  return query
    select
      'default_right', 'notice',
      jsonb_build_object('owner', g.owner, 'role', g.role, 'on', g.kind, 'rights', g.rights),
      format('new %s of %s give %s rights (%s), until a deploy revokes them from ours', g.kind, g.owner, g.role, g.rights),
      format(
        'after a restore: atlas-stage migrate. To end it: alter default privileges for role %s %srevoke %s on %s from %s',
        g.owner, g.in_schema, g.rights, g.kind, g.role
      )
    from (
      select
        d.defaclrole::regrole::text as owner,
        case a.grantee when 0 then 'PUBLIC' else a.grantee::regrole::text end as role,
        case d.defaclobjtype when 'S' then 'sequences' when 'f' then 'functions' else 'tables' end as kind,
        case when d.defaclnamespace = 0 then '' else format('in schema %s ', d.defaclnamespace::regnamespace) end as in_schema,
        lower(string_agg(a.privilege_type, ', ' order by a.privilege_type)) as rights
      from pg_catalog.pg_default_acl d
      cross join lateral aclexplode(d.defaclacl) a
      where a.grantee <> d.defaclrole
        and case d.defaclobjtype
              when 'f' then
                a.grantee <> 0  -- each function of ours revokes what PUBLIC has
                and d.defaclnamespace in (0, 'rules'::regnamespace, 'api'::regnamespace, 'jobs'::regnamespace, 'ops'::regnamespace)
                and d.defaclrole in (select p.proowner from pg_catalog.pg_proc p where p.pronamespace = 'rules'::regnamespace)
              else
                d.defaclobjtype in ('r', 'S')
                and d.defaclnamespace in (0, 'public'::regnamespace)
                and a.privilege_type not in ('SELECT', 'REFERENCES', 'MAINTAIN')
                and d.defaclrole in (
                  select c.relowner
                  from pg_catalog.pg_class c
                  join public.stage_installation i on i.relation = c.oid::regclass::text
                  where c.relkind in ('r', 'p')
                )
            end
      group by d.defaclrole, a.grantee, d.defaclobjtype, d.defaclnamespace
    ) g
    order by 4;
end
$$;

-- Our objects in the catalog, one row per aspect. A deploy stores them in public.stage_installation. `ours`: the object
-- is owned by one of the stored logic's owners, or is one of our tables. A deploy doesn't store other objects that have
-- such a name. `words`: the names in it that a migration must have created.
create or replace function ops.installation()
returns table (
  kind      text,
  name      text,
  aspect    text,
  value     text,
  relation  text,
  mend      text,
  ours      boolean,
  words     text[]
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
-- render the catalog the same way under every setting of the database or session
set datestyle = 'ISO, YMD'
set intervalstyle = 'postgres'
set timezone = 'UTC'
set quote_all_identifiers = off
set extra_float_digits = 1
set bytea_output = 'hex'
as $$
#variable_conflict use_variable
declare
  v_schemas constant oid[] := array(
    select n.oid from pg_catalog.pg_namespace n where n.nspname in ('rules', 'api', 'jobs', 'ops')
  );
  v_owners  constant oid[] := array(
    select r.oid from pg_catalog.pg_roles r where r.rolname in ('atlas_owner', 'atlas_writer')
  );
  v_roles   constant oid[] := array(
    select r.oid
    from pg_catalog.pg_roles r
    where r.rolname in (
      'atlas_owner', 'atlas_writer', 'atlas_authenticator', 'atlas_anon', 'atlas_api', 'atlas_cron', 'atlas_operator'
    )
  );
  v_tables  constant oid[] := array(
    select c.oid
    from pg_catalog.pg_class c
    where c.relnamespace = 'public'::regnamespace
      and c.relkind in ('r', 'p')
      and (
        c.relname in ('clients', 'stage_deploys')
        or exists (select from public.stage_installation i where i.relation = c.oid::regclass::text)
        or exists (select from aclexplode(c.relacl) a where a.grantee = any(v_owners))
      )
  );
begin
  -- the roles
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
    where r.oid = any(v_roles)
    union all
    select
      'role', m.member::regrole::text, 'member of ' || m.roleid::regrole::text, 'yes', null,
      format('grant %s to %s', m.roleid::regrole, m.member::regrole), true, '{}'
    from pg_catalog.pg_auth_members m
    where m.member = any(v_roles)
      and m.roleid = any(v_roles)
    group by m.member, m.roleid;

  -- the stored logic: the files re-create it
  return query
    select 'schema', n.nspname::text, 'owner', n.nspowner::regrole::text, null::text, null::text, true, '{}'::text[]
    from pg_catalog.pg_namespace n
    where n.oid = any(v_schemas)
    union all
    select 'schema', n.nspname::text, 'rights', ops.rights(coalesce(n.nspacl, acldefault('n', n.nspowner)), n.nspowner, v_roles), null, null, true, '{}'
    from pg_catalog.pg_namespace n
    where n.oid = any(v_schemas)
    union all
    select
      'function', p.oid::regprocedure::text, aspect.name, aspect.value, null, null, p.proowner = any(v_owners), '{}'
    from pg_catalog.pg_proc p
    cross join lateral (values
      ('owner', p.proowner::regrole::text),
      ('definition', md5(pg_get_functiondef(p.oid))),
      ('rights', ops.rights(coalesce(p.proacl, acldefault('f', p.proowner)), p.proowner, v_roles))
    ) as aspect (name, value)
    where p.pronamespace = any(v_schemas)
      and p.prokind in ('f', 'p')
    union all
    select 'type', t.oid::regtype::text, aspect.name, aspect.value, null, null, t.typowner = any(v_owners), '{}'
    from pg_catalog.pg_type t
    left join pg_catalog.pg_class c on c.oid = t.typrelid
    cross join lateral (values
      ('owner', t.typowner::regrole::text),
      (
        'definition',
        coalesce(
          (
            select string_agg(format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', ' order by a.attnum)
            from pg_catalog.pg_attribute a
            where a.attrelid = t.typrelid
              and a.attnum > 0
              and not a.attisdropped
          ),
          format_type(t.typbasetype, t.typtypmod)
        )
      )
    ) as aspect (name, value)
    where t.typnamespace = any(v_schemas)
      and (t.typtype = 'd' or c.relkind = 'c')
    union all
    select 'view', v.oid::regclass::text, aspect.name, aspect.value, null, null, v.relowner = any(v_owners), '{}'
    from pg_catalog.pg_class v
    cross join lateral (values
      ('owner', v.relowner::regrole::text),
      -- versions of PostgreSQL render a view differently
      ('definition in PostgreSQL ' || split_part(current_setting('server_version'), '.', 1), pg_get_viewdef(v.oid)),
      ('rights', ops.rights(coalesce(v.relacl, acldefault('r', v.relowner)), v.relowner, v_roles))
    ) as aspect (name, value)
    where v.relnamespace = any(v_schemas)
      and v.relkind = 'v'
    union all
    select
      'default rights', d.defaclrole::regrole::text, case d.defaclobjtype when 'f' then 'functions' else 'others' end,
      ops.rights(d.defaclacl, d.defaclrole, v_roles), null, null, true, '{}'
    from pg_catalog.pg_default_acl d
    where d.defaclrole = any(v_owners)
      and d.defaclnamespace = 0;

  -- the triggers
  return query
    select
      'trigger', format('%s on %s', t.tgname, t.tgrelid::regclass), aspect.name, aspect.value,
      t.tgrelid::regclass::text, null::text, p.proowner = any(v_owners), '{}'::text[]
    from pg_catalog.pg_trigger t
    join pg_catalog.pg_proc p on p.oid = t.tgfoid
    cross join lateral (values
      ('definition', pg_get_triggerdef(t.oid)),
      ('state', case t.tgenabled
        when 'O' then 'on'
        when 'A' then 'always on'
        when 'R' then 'on for replicas only'
        else 'off'
      end)
    ) as aspect (name, value)
    where p.pronamespace = any(v_schemas)
      and not t.tgisinternal;

  -- the tables
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
    where c.oid = any(v_tables)
      and a.grantee = any(v_roles)
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
    where a.attrelid = any(v_tables)
      and acl.grantee = any(v_roles)
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
      and d.refobjid = any(v_tables)
      and a.grantee = any(v_roles)
      and a.grantee <> s.relowner
    group by s.oid, d.refobjid, a.grantee;

  return query
    select
      'column', format('%s.%I', a.attrelid::regclass, a.attname), 'definition',
      concat_ws(
        ' ', format_type(a.atttypid, a.atttypmod), case when a.attnotnull then 'not null' end,
        -- the feed's epoch differs on another server
        case when a.attname <> 'epoch' then 'default ' || pg_get_expr(d.adbin, d.adrelid) end
      ),
      a.attrelid::regclass::text, null::text,
      a.attrelid::regclass::text not in ('public.clients', 'public.atlas_migrations')
        or a.attname in (
          select f.attname
          from pg_catalog.pg_attribute f
          join pg_catalog.pg_class t on t.oid = f.attrelid
          where t.relname in ('client_state', 'client_fields')
            and t.relnamespace = any(v_schemas)
        ),
      array[a.attname::text]
    from pg_catalog.pg_attribute a
    left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    where a.attrelid = any(v_tables)
      and a.attnum > 0
      and not a.attisdropped
    union all
    select
      'constraint', format('%s on %s', k.conname, k.conrelid::regclass), 'definition',
      pg_get_constraintdef(k.oid)
        || case
          when exists (select from pg_catalog.pg_trigger t where t.tgconstraint = k.oid and t.tgenabled not in ('O', 'A'))
          then ', not enforced: its triggers are off'
          else ''
        end,
      k.conrelid::regclass::text,
      format(
        'alter table %s drop constraint if exists %I, add constraint %I %s',
        k.conrelid::regclass, k.conname, k.conname, pg_get_constraintdef(k.oid)
      ),
      k.contype <> 'p' or k.conrelid::regclass::text not in ('public.clients', 'public.atlas_migrations'),
      case when k.contype = 'p' then '{}' else array[k.conname::text] end
    from pg_catalog.pg_constraint k
    where k.conrelid = any(v_tables)
      and k.contype in ('c', 'f', 'p', 'u', 'x')
    union all
    select
      -- the definition can be rendered differently after a host column changed its type
      'index', i.indexrelid::regclass::text, 'state', case when i.indisvalid then 'valid' else 'not valid: reindex it' end,
      i.indrelid::regclass::text, pg_get_indexdef(i.indexrelid), true, array[c.relname::text]
    from pg_catalog.pg_index i
    join pg_catalog.pg_class c on c.oid = i.indexrelid
    where i.indrelid = any(v_tables)
      and not exists (select from pg_catalog.pg_constraint k where k.conindid = i.indexrelid and k.conrelid = i.indrelid)
    union all
    -- the files re-create it
    select
      'policy', format('%s on %s', p.polname, p.polrelid::regclass), 'definition',
      concat_ws(
        ' ', p.polcmd::text, p.polpermissive::text,
        (select string_agg(r.oid::regrole::text, ', ' order by r.oid::regrole::text) from unnest(p.polroles) as r (oid)),
        pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)
      ),
      p.polrelid::regclass::text, null, p.polname = 'atlas_stage', '{}'
    from pg_catalog.pg_policy p
    where p.polrelid = any(v_tables);
end
$$;

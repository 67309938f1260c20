-- The schemas, functions, types, views, default rights and triggers, which the files re-create, as ops.installation
-- lists them.
create or replace function ops.installed_logic(
  schemas oid[],
  owners  oid[],
  roles   oid[]
)
returns setof ops.installed
language plpgsql
stable
as $$
#variable_conflict use_variable
begin
  return query
    select 'schema', n.nspname::text, 'owner', n.nspowner::regrole::text, null::text, null::text, true, '{}'::text[]
    from pg_catalog.pg_namespace n
    where n.oid = any(schemas)
    union all
    select
      'schema', n.nspname::text, 'rights', ops.rights(coalesce(n.nspacl, acldefault('n', n.nspowner)), n.nspowner, roles),
      null, null, true, '{}'
    from pg_catalog.pg_namespace n
    where n.oid = any(schemas)
    union all
    select
      'function', p.oid::regprocedure::text, aspect.name, aspect.value, null, null, p.proowner = any(owners), '{}'
    from pg_catalog.pg_proc p
    cross join lateral (values
      ('owner', p.proowner::regrole::text),
      ('definition', md5(pg_get_functiondef(p.oid))),
      ('rights', ops.rights(coalesce(p.proacl, acldefault('f', p.proowner)), p.proowner, roles))
    ) as aspect (name, value)
    where p.pronamespace = any(schemas)
      and p.prokind in ('f', 'p')
    union all
    select 'type', t.oid::regtype::text, aspect.name, aspect.value, null, null, t.typowner = any(owners), '{}'
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
    where t.typnamespace = any(schemas)
      and (t.typtype = 'd' or c.relkind = 'c')
    union all
    select 'view', v.oid::regclass::text, aspect.name, aspect.value, null, null, v.relowner = any(owners), '{}'
    from pg_catalog.pg_class v
    cross join lateral (values
      ('owner', v.relowner::regrole::text),
      -- versions of PostgreSQL render a view differently
      ('definition in PostgreSQL ' || split_part(current_setting('server_version'), '.', 1), pg_get_viewdef(v.oid)),
      ('rights', ops.rights(coalesce(v.relacl, acldefault('r', v.relowner)), v.relowner, roles))
    ) as aspect (name, value)
    where v.relnamespace = any(schemas)
      and v.relkind = 'v'
    union all
    select
      'default rights', d.defaclrole::regrole::text, case d.defaclobjtype when 'f' then 'functions' else 'others' end,
      ops.rights(d.defaclacl, d.defaclrole, roles), null, null, true, '{}'
    from pg_catalog.pg_default_acl d
    where d.defaclrole = any(owners)
      and d.defaclnamespace = 0;

  -- the triggers
  return query
    select
      'trigger', format('%s on %s', t.tgname, t.tgrelid::regclass), aspect.name, aspect.value,
      t.tgrelid::regclass::text, null::text, p.proowner = any(owners), '{}'::text[]
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
    where p.pronamespace = any(schemas)
      and not t.tgisinternal;
end
$$;

-- The columns, constraints, indexes and policies of the tables, as ops.installation lists them.
create or replace function ops.installed_tables(
  tables  oid[],
  schemas oid[]
)
returns setof ops.installed
language plpgsql
stable
as $$
#variable_conflict use_variable
begin
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
            and t.relnamespace = any(schemas)
        ),
      array[a.attname::text]
    from pg_catalog.pg_attribute a
    left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    where a.attrelid = any(tables)
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
    where k.conrelid = any(tables)
      and k.contype in ('c', 'f', 'p', 'u', 'x')
    union all
    select
      -- the definition can be rendered differently after a host column changed its type
      'index', i.indexrelid::regclass::text, 'state', case when i.indisvalid then 'valid' else 'not valid: reindex it' end,
      i.indrelid::regclass::text, pg_get_indexdef(i.indexrelid), true, array[c.relname::text]
    from pg_catalog.pg_index i
    join pg_catalog.pg_class c on c.oid = i.indexrelid
    where i.indrelid = any(tables)
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
    where p.polrelid = any(tables);
end
$$;

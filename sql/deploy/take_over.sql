-- What the files of the stored logic create and another role owns, as the statements that give it to its owner.
-- $1: the schemas; $2: every word in the files; $3: the routines that they create, as schema.name; $4: their owners.
with ours as (
  select n.oid, n.nspname, n.nspowner from pg_catalog.pg_namespace as n
where n.nspname = any($1::text[])
),

foreign_objects as (
  select 1 as place, 'schema' as kind, quote_ident(o.nspname) as name
  from ours as o
  where o.nspowner::regrole::text <> 'atlas_owner'
  union all
  select 2, 'type', t.oid::regtype::text
  from pg_catalog.pg_type as t
  inner join ours as o on t.typnamespace = o.oid
  left join pg_catalog.pg_class as c on t.typrelid = c.oid
  where t.typowner::regrole::text <> 'atlas_owner'
    and (t.typtype = 'd' or c.relkind = 'c')
    and regexp_split_to_array(t.typname, '[^A-Za-z0-9_]+') <@ $2::text[]
  union all
  select 3, 'view', v.oid::regclass::text
  from pg_catalog.pg_class as v
  inner join ours as o on v.relnamespace = o.oid
  where v.relkind = 'v'
    and v.relowner::regrole::text <> 'atlas_owner'
    and regexp_split_to_array(v.relname, '[^A-Za-z0-9_]+') <@ $2::text[]
)

select f.place, format('alter %s %s owner to atlas_owner', f.kind, f.name)
from foreign_objects as f
union all
select
  4,
  format(
    'grant create on schema %1$I to %2$s; alter routine %3$s owner to %2$s', o.nspname, w.owner, p.oid::regprocedure
  )
from unnest($3::text[], $4::text[]) as w (name, owner)
inner join ours as o on split_part(w.name, '.', 1) = o.nspname
inner join pg_catalog.pg_proc as p on o.oid = p.pronamespace and split_part(w.name, '.', 2) = p.proname
where p.proowner::regrole::text <> w.owner
order by 1;

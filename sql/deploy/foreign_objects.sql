-- Schemas, types and views of ours that atlas_owner doesn't own: kind, name, quoted name. $1: the schemas.
with ours as (
  select n.oid, n.nspname, n.nspowner from pg_catalog.pg_namespace as n
where n.nspname = any($1::text[])
)

select 'schema', o.nspname::text, quote_ident(o.nspname)
from ours as o
where o.nspowner::regrole::text <> 'atlas_owner'
union all
select 'type', t.typname::text, t.oid::regtype::text
from pg_catalog.pg_type as t
inner join ours as o on t.typnamespace = o.oid
left join pg_catalog.pg_class as c on t.typrelid = c.oid
where t.typowner::regrole::text <> 'atlas_owner'
  and (t.typtype = 'd' or c.relkind = 'c')
union all
select 'view', v.relname::text, v.oid::regclass::text
from pg_catalog.pg_class as v
inner join ours as o on v.relnamespace = o.oid
where v.relkind = 'v'
  and v.relowner::regrole::text <> 'atlas_owner';

-- Our triggers, routines and views, each with the transaction that wrote its catalog row: kind, oid, xmin, name.
-- $1: the schemas; $2: the owner roles.
select 'trigger', t.oid, t.xmin::text, format('%I on %s', t.tgname, t.tgrelid::regclass)
from pg_catalog.pg_trigger as t
inner join pg_catalog.pg_proc as p on t.tgfoid = p.oid
inner join pg_catalog.pg_namespace as n on p.pronamespace = n.oid
where n.nspname = any($1::text[])
  and p.proowner::regrole::text = any($2::text[])
union all
select 'routine', p.oid, p.xmin::text, p.oid::regprocedure::text
from pg_catalog.pg_proc as p
inner join pg_catalog.pg_namespace as n on p.pronamespace = n.oid
where n.nspname = any($1::text[])
  and p.proowner::regrole::text = any($2::text[])
union all
select 'view', c.oid, c.xmin::text, c.oid::regclass::text
from pg_catalog.pg_class as c
inner join pg_catalog.pg_namespace as n on c.relnamespace = n.oid
where n.nspname = any($1::text[])
  and c.relowner::regrole::text = any($2::text[])
  and c.relkind = 'v'
order by 1 desc, 4;

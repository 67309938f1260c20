-- Tables that have a trigger of ours, in the order in which to lock them. $1: the schemas.
select distinct c.relname, n.nspname
from pg_catalog.pg_trigger as t
inner join pg_catalog.pg_proc as p on t.tgfoid = p.oid
inner join pg_catalog.pg_namespace as s on p.pronamespace = s.oid
inner join pg_catalog.pg_class as c on t.tgrelid = c.oid
inner join pg_catalog.pg_namespace as n on c.relnamespace = n.oid
where s.nspname = any($1::text[])
order by c.relname, n.nspname;

-- Tables that have a trigger of ours, in the order in which to lock them. $1: the schemas.
select distinct c.relname, n.nspname
from pg_catalog.pg_trigger as t
join pg_catalog.pg_proc as p on p.oid = t.tgfoid
join pg_catalog.pg_namespace as s on s.oid = p.pronamespace
join pg_catalog.pg_class as c on c.oid = t.tgrelid
join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
where s.nspname = any ($1::text[])
order by c.relname, n.nspname;

-- The signatures of all routines of a name. $1: schema.name, quoted where needed.
select p.oid::regprocedure::text
from pg_catalog.pg_proc as p
inner join pg_catalog.pg_namespace as n on p.pronamespace = n.oid
where format('%I.%I', n.nspname, p.proname) = $1;

-- Drop all routines of a name. $1: schema.name.
select 'drop routine ' || string_agg(p.oid::regprocedure::text, ', ')
from pg_catalog.pg_proc as p
inner join pg_catalog.pg_namespace as n on p.pronamespace = n.oid
where n.nspname || '.' || p.proname = $1
having count(*) > 0;

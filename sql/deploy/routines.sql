-- Every routine in our schemas: schema, name, signature, owner. $1: the schemas.
select n.nspname::text, p.proname::text, p.oid::regprocedure::text, p.proowner::regrole::text
from pg_catalog.pg_proc as p
inner join pg_catalog.pg_namespace as n on p.pronamespace = n.oid
where n.nspname = any($1::text[]);

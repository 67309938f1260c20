-- What the host's roles could execute of ours, granted again; null in place of the statement if the function is gone.
-- $1: the functions, as schema.name, quoted where needed; $2: the role of each.
with found as (
  select format('%I.%I', n.nspname, p.proname) as name, p.oid::regprocedure::text as signature
  from pg_catalog.pg_proc as p
  inner join pg_catalog.pg_namespace as n on p.pronamespace = n.oid
)

select b.name, b.role, 'grant execute on routine ' || f.signature || ' to ' || b.role
from unnest($1::text[], $2::text[]) as b (name, role)
left join found as f on b.name = f.name
order by b.name, b.role;

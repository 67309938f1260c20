-- Revoke what PUBLIC and our callers can execute of ours. $1: the routines, as schema.name; $2: the callers.
select
  format(
    'revoke all on routine %s from %s',
    p.oid::regprocedure,
    (
      select string_agg(r.name, ', ')
      from unnest(array_prepend('public', $2::text[])) as r (name)
      where r.name = 'public' or to_regrole(r.name) is not null
    )
  )
from pg_catalog.pg_proc as p
inner join pg_catalog.pg_namespace as n on p.pronamespace = n.oid
where n.nspname || '.' || p.proname = any($1::text[]);

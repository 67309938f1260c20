-- The host's event trigger in which a deploy failed, and the line that fixes it. $1: the context of the error.
select
  format(
    'event trigger %s of the host stops the deploy; to fix it:'
    ' alter function %s security definer set search_path = pg_catalog, %spublic, pg_temp',
    e.evtname,
    e.evtfoid::regprocedure,
    quote_ident(nullif(n.nspname, 'public')) || ', '
  )
from pg_catalog.pg_event_trigger as e
inner join pg_catalog.pg_proc as p on e.evtfoid = p.oid
inner join pg_catalog.pg_namespace as n on p.pronamespace = n.oid
where strpos($1::text, p.proname || '()') > 0
order by strpos($1::text, p.proname || '()')
limit 1;

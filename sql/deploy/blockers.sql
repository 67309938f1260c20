-- The sessions that keep the deploy waiting for a lock, in words. $1: the deploy's application name.
select format(
  'database process %s%s',
  b.pid,
  ' (' || nullif(
    concat_ws(
      ', ',
      'user ' || b.usename,
      'program ' || nullif(b.application_name, ''),
      'in a transaction for ' || extract(epoch from now() - b.xact_start)::integer || ' s',
      'last statement: ' || nullif(left(regexp_replace(b.query, '[[:space:][:cntrl:]]+', ' ', 'g'), 60), '')
    ),
    ''
  ) || ')'
)
from pg_catalog.pg_stat_activity as w
cross join lateral unnest(pg_catalog.pg_blocking_pids(w.pid)) as p (pid)
inner join pg_catalog.pg_stat_activity as b on p.pid = b.pid
where w.application_name = $1
  and w.wait_event_type = 'Lock';

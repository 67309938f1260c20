-- The sessions that keep the deploy waiting for a lock. $1: the deploy's application name.
select
  b.pid,
  b.usename::text,
  nullif(b.application_name, ''),
  extract(epoch from now() - b.xact_start)::integer,
  left(regexp_replace(b.query, '[[:space:][:cntrl:]]+', ' ', 'g'), 60)
from pg_catalog.pg_stat_activity as w
cross join lateral unnest(pg_catalog.pg_blocking_pids(w.pid)) as p (pid)
inner join pg_catalog.pg_stat_activity as b on p.pid = b.pid
where w.application_name = $1
  and w.wait_event_type = 'Lock';

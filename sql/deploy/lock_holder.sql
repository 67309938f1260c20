-- The process that holds the deploy lock of this database. $1: the lock's key.
select l.pid
from pg_catalog.pg_locks as l
where l.locktype = 'advisory'
  and l.granted
  and l.objsubid = 1
  and l.classid::bigint = $1::bigint >> 32
  and l.objid::bigint = $1::bigint & 4294967295
  and l.database = (select d.oid from pg_catalog.pg_database as d
where d.datname = current_database());

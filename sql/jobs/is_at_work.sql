-- Whether a session holds a job's lock. A run that is on the ledger as running and has none crashed.
create or replace function jobs.is_at_work(job text)
returns boolean
language plpgsql
volatile
as $$
declare
  v_key bigint := jobs.lock_key(job);
begin
  return exists (
    select
    from pg_catalog.pg_locks l
    where l.locktype = 'advisory'
      and l.database = (select d.oid from pg_catalog.pg_database d where d.datname = current_database())
      and l.classid = ((v_key >> 32) & 4294967295)::oid
      and l.objid = (v_key & 4294967295)::oid
      and l.objsubid = 1
      and l.granted
  );
end
$$;

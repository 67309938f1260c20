-- Whether another session is at a job's work. Each transaction of a run holds the job's row of job_locks, which
-- only the stored logic reaches; between two of them, for no longer than a moment, the run is known by its server
-- process.
create or replace function jobs.is_at_work(job text)
returns boolean
language plpgsql
volatile
as $$
begin
  return exists (
    -- who holds a row lock has its transaction's id on the row, and its transaction in pg_locks
    select
    from public.job_locks j
    join pg_catalog.pg_locks l on l.locktype = 'transactionid' and l.transactionid = j.xmax and l.granted
    where j.job = is_at_work.job
      and l.pid <> pg_backend_pid()
  ) or exists (
    select
    from public.job_runs r
    join pg_catalog.pg_stat_activity a on a.pid = r.backend_pid
    where r.job = is_at_work.job
      and r.outcome = 'running'
      and r.backend_pid <> pg_backend_pid()
      and r.seen_at > clock_timestamp() - interval '10 seconds'
  );
end
$$;

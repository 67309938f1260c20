-- Whether another session is running a job. Each transaction of a run holds the job's row of job_locks, which only the
-- stored logic can lock. Between two transactions, for a moment, the run is known by its server process.
create or replace function jobs.is_running(job text)
returns boolean
language plpgsql
volatile
as $$
#variable_conflict use_variable
begin
  return exists (
    -- a session that locks a row leaves its transaction id on the row, and has that transaction in pg_locks
    select
    from public.job_locks j
    join pg_catalog.pg_locks l on l.locktype = 'transactionid' and l.transactionid = j.xmax and l.granted
    where j.job = is_running.job
      and l.pid <> pg_backend_pid()
  ) or exists (
    select
    from public.job_runs r
    join pg_catalog.pg_stat_activity a on a.pid = r.backend_pid
    where r.job = is_running.job
      and r.outcome = 'running'
      and r.backend_pid <> pg_backend_pid()
      and r.seen_at > clock_timestamp() - interval '10 seconds'  -- a pool keeps a process whose client has left
  );
end
$$;

-- A job that no scheduler has started for two hours. Schedulers start every job every hour; the database decides
-- whether it is due.
create or replace function ops.job_not_started()
returns setof ops.finding
language plpgsql
stable
as $$
begin
  return query
    select
      'job_not_started', 'error',
      jsonb_build_object('job', c.job, 'started_at', l.started_at),
      format(
        'no scheduler started job %s %s', c.job,
        coalesce('since ' || to_char(rules.firm_time(l.started_at), 'YYYY-MM-DD HH24:MI'), 'ever')
      ),
      'check that its schedule (cron/) is set up and that its login can connect; it starts every job every hour'
    from jobs.catalog() c
    join public.job_locks l on l.job = c.job
    where coalesce(
        -- a time in the future is from a clock that was ahead, and says nothing
        greatest(
          case when l.started_at <= clock_timestamp() then l.started_at end,
          case when l.installed_at <= clock_timestamp() then l.installed_at end
        ),
        '-infinity'
      ) < now() - interval '2 hours'
      and not jobs.is_running(c.job)
    order by c.job;
end
$$;

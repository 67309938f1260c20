-- A job that no scheduler started for two hours. Each is started every hour, due or not: the database decides.
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
      'is its schedule set up (cron/), and does its login get in? It starts every job every hour, on every day'
    from jobs.catalog() c
    join public.job_locks l on l.job = c.job
    where greatest(l.started_at, l.installed_at) < now() - interval '2 hours'
      and not jobs.is_running(c.job)
    order by c.job;
end
$$;

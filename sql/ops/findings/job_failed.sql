-- A job whose newest run failed or crashed, so part of its work is not done.
create or replace function ops.job_failed()
returns setof ops.finding
language plpgsql
stable
as $$
begin
  return query
    select
      'job_failed', 'error',
      jsonb_build_object(
        'job', r.job, 'run_id', r.id, 'due_at', r.due_at, 'error', r.error,
        'failed', r.counts -> 'failed', 'errors', r.counts -> 'errors'
      ),
      format(
        'job %s, run %s, due on %s: %s', r.job, r.id, to_char(rules.firm_time(r.due_at), 'YYYY-MM-DD HH24:MI'),
        coalesce(r.error, 'crashed, and no start has resumed it')
      ),
      'fix what the errors name; the next start does the rest. To run it now: atlas-stage job run JOB'
    from jobs.catalog() c
    cross join lateral (
      select newest.*
      from public.job_runs newest
      where newest.job = c.job and newest.due_at <= now() and newest.outcome <> 'skipped'
      order by newest.due_at desc
      limit 1
    ) r
    where r.outcome = 'failed'
      or r.outcome = 'running' and not jobs.is_running(r.job)
    order by r.job;
end
$$;

-- A job that should have run by now and didn't.
create or replace function ops.job_overdue()
returns setof ops.finding
language plpgsql
stable
as $$
begin
  return query
    select
      'job_overdue', 'error', to_jsonb(o),
      format(
        'job %s was due on %s, %s hours ago: %s',
        o.job, to_char(rules.firm_time(o.due_at), 'YYYY-MM-DD HH24:MI'), o.hours, o.state
      ),
      'check its scheduler (cron/). To see its runs: atlas-stage job runs. To run it now: atlas-stage job run JOB'
    from jobs.overdue() o
    order by o.job;
end
$$;

-- A job that should have run by now and did not.
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
      'is its scheduler set up (cron/)? What happened: atlas-stage job runs; do it: atlas-stage job run JOB'
    from jobs.overdue() o
    order by o.job;
end
$$;

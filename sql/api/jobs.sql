create or replace function api.jobs(
  job       text default null,
  before    bigint default null,
  page_size integer default 20
)
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  -- an error can have words of the host's
  v_is_admin constant boolean := rules.missing_permission(rules.current_actor(), 'can_admin') is null;
begin
  return jsonb_build_object(
    'jobs', (
      select jsonb_agg(to_jsonb(c) - '{day,at,about}'::text[] || to_jsonb(d))
      from jobs.catalog() c
      join jobs.due() d on d.job = c.job
    ),
    'runs', (
      select coalesce(jsonb_agg(case when v_is_admin then r else r - 'error' #- '{counts,errors}' end), '[]')
      from jobs.runs(job, page_size, before) r
    )
  );
end
$$;

comment on function api.jobs(text, bigint, integer) is
'List the scheduled jobs with their states, and their last runs.
Any actor can read; the errors of runs are for admins. job: only the runs of this job. before: only runs with a lower run_id. page_size: of the runs, 1 to 1,000.
Returns {jobs, runs}: of each job its schedule, description, due_at, state, is_due, missed, last_success and next_due; of each
run, newest first, its run_id, job, due_at, as_of, outcome, started_at, finished_at, seconds, attempts, changed (how many changes), counts and error.
Errors: unknown_job, page_size_not_valid (422).';

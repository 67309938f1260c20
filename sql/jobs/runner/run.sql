create or replace function jobs.run(
  job     text,
  as_of   timestamptz default null,
  dry_run boolean default false
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  v_run jsonb;
begin
  if dry_run then
    return (
      select jsonb_build_object('job', job, 'due_at', o.due_at, 'as_of', coalesce(as_of, now()), 'outcome', 'dry_run')
      from jobs.occurrences(job, coalesce(as_of, now())) o
    ) || (
      select jsonb_build_object(
        'would_change', count(*) filter (where p.refused_by is null),
        'would_skip', count(p.refused_by),
        'rows', coalesce(jsonb_agg(to_jsonb(p) - 'place') filter (where p.place <= 1000), '[]')
      )
      from (select p.*, row_number() over () as place from jobs.plan(job, as_of) p) p
    ) || (
      select jobs.names(array(select s from jobs.steps(job, o.due_at, coalesce(as_of, now())) s))
      from jobs.occurrences(job, coalesce(as_of, now())) o
    );
  end if;
  call jobs.run_in_slices(job, as_of, false, v_run, commits => false);
  return v_run;
end
$$;

comment on function jobs.run(text, timestamptz, boolean) is
'Run a job now, or as of a moment, in one transaction. With dry_run, only report what would change,
and the clients that the job names without changing them.
job: one of jobs.catalog(). as_of: the time to use as now, for operators and dry runs. The occurrence in force then
runs, whether or not it ran before: nothing is changed twice. Other callers can run only what is due now.
Returns the run: outcome done, failed, skipped (missed for longer than the catch-up days), busy (another session runs
the job) or nothing_due; counts; error.
Schedulers call jobs.run_in_slices instead: it commits the run before its work, and each slice of the work.
Errors: as_of_for_operators (403), unknown_job, moment_not_valid (422).';

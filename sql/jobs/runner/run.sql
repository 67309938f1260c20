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
    );
  end if;

  v_run := jobs.begin_run(job, as_of, only_if_due => false);
  if v_run ->> 'outcome' = 'running' then
    call jobs.work((v_run ->> 'run_id')::bigint, commits => false);
    v_run := (select r from jobs.runs(run_id => (v_run ->> 'run_id')::bigint) r);
  end if;
  return v_run;
end
$$;

comment on function jobs.run(text, timestamptz, boolean) is
'Run a job now, or as of a moment, in one transaction; with dry_run, only say what would change.
job: one of jobs.catalog(). as_of: what to take as now, for operators and dry runs; the occurrence in force then is
run, whether it was done or not: what was done is not done twice. Who is no operator runs what is due now, and nothing
else.
Answers the row of the ledger: outcome done, failed, skipped (missed for longer than the catch-up days), busy (another
session runs it) or nothing_due; counts; error.
Schedulers call jobs.perform instead, whose ledger row is there before the work begins.
Errors: as_of_for_operators (403), unknown_job, moment_not_valid (422).';

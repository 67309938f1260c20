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
    return jobs.dry_run(job, as_of);
  end if;
  v_run := jobs.begin_run(job, as_of, only_if_due => false, keep_lock => false);
  if v_run ->> 'outcome' = 'running' then
    call jobs.work((v_run ->> 'run_id')::bigint, commits => false);
    v_run := (select jobs.report(r) from public.job_runs r where r.id = (v_run ->> 'run_id')::bigint);
  end if;
  return v_run;
end
$$;

comment on function jobs.run(text, timestamptz, boolean) is
'Run a job now, or as of a moment, in one transaction; with dry_run, only say what would change.
job: one of jobs.catalog(). as_of: what to take as now; the occurrence in force then is run, whether it was done or not:
what was done is not done twice. Answers the row of the ledger: outcome done, failed, skipped (missed for longer than
the catch-up days), busy (another session runs it) or nothing_due; counts; error.
Schedulers call jobs.perform instead, whose ledger row is there before the work begins.
Errors: unknown_job (422).';

-- A row of the ledger as JSON.
create or replace function jobs.report(run public.job_runs)
returns jsonb
language plpgsql
stable
as $$
begin
  return jsonb_build_object(
    'run_id', run.id,
    'job', run.job,
    'due_at', run.due_at,
    'as_of', run.as_of,
    'outcome', run.outcome,
    'started_at', run.started_at,
    'finished_at', run.finished_at,
    'seconds', round(extract(epoch from run.finished_at - run.started_at), 3),
    'attempts', run.attempts,
    'counts', run.counts,
    'error', run.error
  );
end
$$;

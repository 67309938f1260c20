-- Close a run on the ledger: done, or failed with the reason. Clients that were held leave it failed, so that the
-- next start tries them again.
create or replace function jobs.finish_run(
  run_id bigint,
  error  text default null
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_run   public.job_runs := (select r from public.job_runs r where r.id = run_id);
  v_held  bigint := (v_run.counts #>> '{skipped,held_by_another_session}')::bigint;
  v_error text := coalesce(finish_run.error, case when v_held > 0 then format(
    '%s of the clients were held by other sessions; all others are done: run it again', v_held
  ) end);
begin
  update public.job_runs r
  set
    counts = case when finish_run.error is null then jobs.count_unchanged(v_run) else r.counts end,
    finished_at = clock_timestamp(),
    outcome = case when v_error is null then 'done' else 'failed' end,
    error = v_error
  where r.id = run_id
    and r.outcome = 'running'
  returning * into v_run;
  return jobs.report(v_run);
end
$$;

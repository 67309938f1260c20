-- END a run: done if nothing is left, or the rules forbid all that is left; else failed, so the next start tries again.
-- No caller can declare a run done. Returns the run.
create or replace function jobs.end_run(
  run_id bigint,
  held   bigint[]   -- clients that other sessions held to the end
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  v_run    public.job_runs := jobs.lock_run(run_id);
  v_failed bigint := 0;
begin
  begin
    if v_run.error is null then
      v_run.counts := jobs.count_left(v_run, held);
      v_failed := coalesce((v_run.counts ->> 'failed')::bigint, 0);
    end if;
  exception
    when others or query_canceled then
      v_run.error := sqlerrm;
  end;

  update public.job_runs r
  set
    counts = v_run.counts,
    finished_at = clock_timestamp(),
    outcome = case when v_run.error is null and v_failed = 0 then 'done' else 'failed' end,
    error = coalesce(v_run.error, case when v_failed > 0 then format(
      '%s %s could not be changed; the others are done, and the next start tries again',
      v_failed, case v_failed when 1 then 'client' else 'clients' end
    ) end)
  where r.id = run_id;
  return (select r from jobs.runs(run_id => end_run.run_id) r);
end
$$;

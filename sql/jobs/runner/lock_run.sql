-- Lock a run's job until the transaction ends, for the session that started the run. If another session has taken the
-- run over, this one is refused.
create or replace function jobs.lock_run(run_id bigint)
returns public.job_runs
language plpgsql
volatile
as $$
#variable_conflict use_variable
declare
  v_run public.job_runs;
begin
  select r.*
  into v_run
  from public.job_runs r
  join public.job_locks l on l.job = r.job
  where r.id = run_id
    and r.outcome = 'running'
    and r.backend_pid = pg_backend_pid()
  for update of l skip locked;
  if not found then
    perform rules.refuse('run_not_held', jsonb_build_object('run_id', run_id));
  end if;
  return v_run;
end
$$;

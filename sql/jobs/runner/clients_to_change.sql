-- The clients that a run still has to change, by id; also those that the rules will forbid it to change.
create or replace function jobs.clients_to_change(run_id bigint)
returns bigint[]
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  v_run constant public.job_runs := jobs.lock_run(run_id);
begin
  update public.job_runs r set seen_at = clock_timestamp() where r.id = run_id;
  return array(
    select distinct id
    from jobs.steps(v_run.job, v_run.due_at, v_run.as_of) s
    cross join unnest(s.client_ids) as id
    where s.action <> 'name'
    order by 1
  );
exception
  when others or query_canceled then
    update public.job_runs r set error = sqlerrm where r.id = run_id;  -- jobs.end_run ends it as failed
    return null;
end
$$;

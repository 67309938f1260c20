-- The clients that a run still has to change, but for those that it need not try again. When there are none, or
-- this was the last round, the run is closed by what it has left: no caller can say that it is done.
create or replace function jobs.next_work(
  run_id     bigint,
  settled    bigint[],   -- whom jobs.work_slice said not to try again
  last_round boolean
)
returns bigint[]
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_run  constant public.job_runs := jobs.hold_run(run_id);
  v_left jobs.step[];
  v_open bigint[];
begin
  v_left := array(select s from jobs.steps(v_run.job, v_run.due_at, v_run.as_of) s);
  v_open := array(
    select id from unnest(v_left) s cross join unnest(s.client_ids) as id where s.action <> 'name'
    except
    select unnest(settled)
    order by 1
  );
  if v_open = '{}' or last_round then
    perform jobs.close_run(v_run, v_left, v_open);
    return array[]::bigint[];
  end if;
  update public.job_runs r set seen_at = clock_timestamp() where r.id = run_id;
  return v_open;
exception
  when others or query_canceled then
    perform jobs.close_run(v_run, failure => sqlerrm);
    return array[]::bigint[];
end
$$;

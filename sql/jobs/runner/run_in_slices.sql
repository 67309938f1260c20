-- START a run, list its clients, CHANGE them slice by slice, END it. Each slice is one transaction: memory and locks
-- stay bounded, a crash loses one slice, and notices report the progress.
-- A procedure that commits can't be SECURITY DEFINER or have a SET clause. So the functions that it calls are, and it
-- sets the search path first and after each COMMIT, to keep the caller's objects out of the procedure's statements. The
-- isolation level and the lock timeout are its own, too: a host's default would fail the run, or let it wait forever.
create or replace procedure jobs.run_in_slices(
  job          text,
  as_of        timestamptz default null,
  only_if_due  boolean default true,
  inout result jsonb default null,
  commits      boolean default true   -- false: in one transaction, as jobs.run does
)
language plpgsql
as $$
#variable_conflict use_variable
declare
  v_slice   constant integer := 20000;
  v_rounds  constant integer := 7;   -- a client that another session holds is tried again, for about 3 s
  v_run_id  bigint;
  v_left    bigint[];
  v_done    bigint[];
  v_settled bigint[] := array[]::bigint[];
begin
  if commits and pg_catalog.current_setting('transaction_isolation') <> 'read committed' then
    commit;
    set transaction isolation level read committed;
  end if;
  perform pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
  perform pg_catalog.set_config('lock_timeout', '10s', true);
  result := jobs.start_run(job, as_of, only_if_due);
  if commits then
    commit;
    set transaction isolation level read committed;
    perform pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
    perform pg_catalog.set_config('lock_timeout', '10s', true);
  end if;
  if result ->> 'outcome' <> 'running' then
    return;
  end if;
  v_run_id := (result ->> 'run_id')::bigint;
  if (result ->> 'attempts')::integer > 1 then
    raise notice 'resumes the run due on %, attempt %', result ->> 'due_at', result ->> 'attempts';
  end if;

  <<rounds>>
  for v_round in 1..v_rounds loop
    v_left := array(select id from unnest(jobs.clients_to_change(v_run_id)) as id except select unnest(v_settled));
    exit when v_left = '{}' or v_round = v_rounds;
    if v_round > 1 then
      perform pg_sleep(0.5);
    end if;
    for v_from in 1..cardinality(v_left) by v_slice loop
      v_done := jobs.change_slice(v_run_id, v_left[v_from:v_from + v_slice - 1]);
      if commits then
        commit;
        set transaction isolation level read committed;
        perform pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
        perform pg_catalog.set_config('lock_timeout', '10s', true);
      end if;
      exit rounds when v_done is null;
      v_settled := v_settled || v_done;
      if cardinality(v_left) > v_slice then
        raise notice '% of % clients', least(v_from + v_slice - 1, cardinality(v_left)), cardinality(v_left);
      end if;
    end loop;
  end loop;

  result := jobs.end_run(v_run_id, held => v_left);
  if commits then
    commit;
  end if;
end
$$;

comment on procedure jobs.run_in_slices(text, timestamptz, boolean, jsonb, boolean) is
'Run a job as a scheduler does: the run is committed before its work, and then each slice of 20,000 clients.
job: one of jobs.catalog(). as_of: the time to use as now, for operators. only_if_due: do nothing if the occurrence is
done. Callers that aren''t operators can run only what is due now. commits: false for one transaction.
Call it outside a transaction. `result` is what jobs.run returns.
Errors: as_of_for_operators (403), unknown_job, moment_not_valid (422).';

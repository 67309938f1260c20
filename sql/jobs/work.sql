-- Do a run's work, slice by slice; with `commits`, each slice is a transaction: memory and locks stay bounded, a crash
-- loses one slice, and NOTICEs tell the progress. It commits, so it cannot be a definer; what it calls is.
-- Whatever goes wrong ends the run as failed, and stands on the ledger.
create or replace procedure jobs.work(
  run_id  bigint,
  commits boolean
)
language plpgsql
as $$
declare
  v_slice   constant integer := 20000;
  v_actions text[];
  v_words   text[];
  v_periods text[];
  v_sizes   integer[];
  v_ids     bigint[];
  v_before  integer := 0;   -- clients of the steps before this one
  v_to      integer;
  v_held    bigint[];       -- of a slice
  v_waiting bigint[];       -- of a step
  v_failed  text;
begin
  begin
    select s.actions, s.words, s.periods, s.sizes, s.client_ids
    into v_actions, v_words, v_periods, v_sizes, v_ids
    from jobs.steps(run_id) s;
  exception
    when others or query_canceled then
      v_failed := sqlerrm;
  end;

  for v_step in 1..coalesce(cardinality(v_actions), 0) loop
    v_waiting := '{}';
    for v_from in 1..v_sizes[v_step] by v_slice loop
      v_to := least(v_from + v_slice - 1, v_sizes[v_step]);
      call jobs.work_slice(
        run_id, v_actions[v_step], v_words[v_step], v_periods[v_step], v_ids[v_before + v_from:v_before + v_to],
        false, commits, v_held, v_failed
      );
      exit when v_failed is not null;
      v_waiting := v_waiting || v_held;
      if v_sizes[v_step] > v_slice then
        raise notice '% %: % of % clients', v_actions[v_step], v_words[v_step], v_to, v_sizes[v_step];
      end if;
    end loop;

    -- who was held by another session gets another try, and another
    for v_try in 1..5 loop
      exit when v_failed is not null or cardinality(v_waiting) = 0;
      perform pg_sleep(0.5);
      call jobs.work_slice(
        run_id, v_actions[v_step], v_words[v_step], v_periods[v_step], v_waiting, v_try = 5, commits, v_held, v_failed
      );
      v_waiting := coalesce(v_held, '{}');
    end loop;
    exit when v_failed is not null;
    v_before := v_before + v_sizes[v_step];
  end loop;

  perform jobs.finish_run(run_id, v_failed);
  if commits then
    commit;
  end if;
end
$$;

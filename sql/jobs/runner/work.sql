-- Do a run's work, slice by slice; with `commits`, each slice is a transaction: memory and locks stay bounded, a
-- crash loses one slice, and NOTICEs tell the progress. It commits, so it cannot be a definer; what it calls is, and
-- it sets the path itself, as jobs.perform does. Rounds, because whom another session holds gets another try, and
-- another.
create or replace procedure jobs.work(
  run_id  bigint,
  commits boolean
)
language plpgsql
as $$
declare
  v_slice   constant integer := 20000;
  v_rounds  constant integer := 7;
  v_ids     bigint[];
  v_number  integer;
  v_done    bigint[];
  v_settled bigint[] := array[]::bigint[];
begin
  perform pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
  for v_round in 1..v_rounds loop
    v_ids := jobs.next_work(run_id, v_settled, last_round => v_round = v_rounds);
    if commits then
      commit;
      perform pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
    end if;
    v_number := cardinality(v_ids);
    exit when v_number = 0;
    if v_round > 1 then
      perform pg_sleep(0.5);
    end if;

    for v_from in 1..v_number by v_slice loop
      v_done := jobs.work_slice(run_id, v_ids[v_from:v_from + v_slice - 1]);
      if commits then
        commit;
        perform pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
      end if;
      if v_done is null then
        return;
      end if;
      v_settled := v_settled || v_done;
      if v_number > v_slice then
        raise notice '% of % clients', least(v_from + v_slice - 1, v_number), v_number;
      end if;
    end loop;
  end loop;
end
$$;

-- CHANGE a slice of a run: lock its clients, look up again what is to change, evaluate, write and count, in one
-- transaction. The caller passes ids and nothing else: the job's definition and the rules decide.
-- Returns the clients not to try again: a rule forbids the change, or it failed; null: the run has failed.
create or replace function jobs.change_slice(
  run_id     bigint,
  client_ids bigint[]
)
returns bigint[]
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  v_run     constant public.job_runs := jobs.lock_run(run_id);
  v_counts  jsonb    := v_run.counts;
  v_settled bigint[] := array[]::bigint[];
  v_locked  bigint[];
  v_step    jobs.step;
  v_items   rules.item[];
  v_changes rules.change[];
  v_failed  bigint[];
  v_errors  jsonb;
  v_word    text;
begin
  -- LOCK: skip clients that another session holds; the next round lists them again
  v_locked := array(select c.id from unnest(rules.lock_clients(client_ids, skip_locked => true)) c);

  for v_step in
    select s.* from jobs.steps(v_run.job, v_run.due_at, v_run.as_of, v_locked) s where s.action <> 'name'
  loop
    -- EVALUATE
    v_items := jobs.evaluate_step(v_run.job, v_run.due_at, run_id, v_step, v_step.client_ids);
    v_changes := array(
      select (i.context, i.before, i.after)::rules.change from unnest(v_items) i where i.violations is null
    );

    -- WRITE
    select
      coalesce(array_agg(w.client_id), '{}'),
      coalesce(jsonb_agg(jsonb_build_object('client_id', w.client_id, 'error', concat_ws(
        ': ',
        (w.violation).rule,
        coalesce((w.violation).facts ->> 'said', (w.violation).facts ->> 'constraint')
      )) order by w.client_id), '[]')
    into v_failed, v_errors
    from rules.write_changes(v_changes) w;

    -- COUNT
    v_settled := v_settled || v_failed
      || array(select i.client_id from unnest(v_items) i where i.violations is not null);
    v_word := (select k.counter from jobs.counters() k where k.action = v_step.action);
    v_counts := jsonb_strip_nulls(v_counts || jsonb_build_object(
      v_word,
      nullif(coalesce((v_counts ->> v_word)::bigint, 0) + cardinality(v_changes) - cardinality(v_failed), 0),
      'errors',
      nullif(jsonb_path_query_array(coalesce(v_counts -> 'errors', '[]') || v_errors, '$[0 to 19]'), '[]')
    ));
  end loop;
  update public.job_runs r set counts = v_counts, seen_at = clock_timestamp() where r.id = run_id;
  return v_settled;
exception
  when others or query_canceled then
    update public.job_runs r set error = sqlerrm where r.id = run_id;  -- jobs.end_run ends it as failed
    return null;
end
$$;

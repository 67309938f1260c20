-- A slice of a run: lock its clients, look again what is to change, ask the rules, write, and count what was
-- changed, all in one transaction. It can do nothing that the run's own definition and the rules do not ask for.
-- Answers whom not to try again: the rules forbid it, or the change raised an error; null: the whole slice failed,
-- and so did the run.
create or replace function jobs.work_slice(
  run_id     bigint,
  client_ids bigint[]
)
returns bigint[]
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_run      constant public.job_runs := jobs.hold_run(run_id);
  v_counts   jsonb    := v_run.counts;
  v_settled  bigint[] := array[]::bigint[];
  v_locked   bigint[];
  v_step     jobs.step;
  v_changes  rules.change[];
  v_items    rules.item[];
  v_failures jsonb;
  v_word     text;
  v_number   bigint;
begin
  -- LOCK: nobody's open transaction stops the others; whom somebody holds, the next round finds again
  v_locked := array(select c.id from unnest(rules.lock_clients(client_ids, skip_locked => true)) c);

  -- GUARD: what was true before the lock may not be true now
  for v_step in
    select s.* from jobs.steps(v_run.job, v_run.due_at, v_run.as_of, v_locked) s where s.action <> 'name'
  loop
    -- EVALUATE
    v_items := rules.evaluate(jobs.items_of(v_run.job, v_run.due_at, run_id, v_step, v_step.client_ids));
    v_settled := v_settled || array(select i.client_id from unnest(v_items) i where i.violations is not null);
    v_changes := array(
      select (i.context, i.before, i.after)::rules.change from unnest(v_items) i where i.violations is null
    );

    -- WRITE
    select
      coalesce(jsonb_agg(jsonb_build_object('client_id', w.client_id, 'error', concat_ws(
        ': ',
        (w.violation).rule,
        coalesce((w.violation).facts ->> 'said', (w.violation).facts ->> 'constraint')
      )) order by w.client_id), '[]'),
      v_settled || coalesce(array_agg(w.client_id), '{}')
    into v_failures, v_settled
    from rules.write_changes(v_changes) w;
    v_word := case v_step.action when 'move' then 'moved' when 'set' then 'flagged' else 'cleared' end;
    v_number := coalesce((v_counts ->> v_word)::bigint, 0) + cardinality(v_changes) - jsonb_array_length(v_failures);
    if v_number > 0 then
      v_counts := v_counts || jsonb_build_object(v_word, v_number);
    end if;
    if v_failures <> '[]' then
      v_counts := v_counts || jsonb_build_object('errors', jsonb_path_query_array(
        coalesce(v_counts -> 'errors', '[]') || v_failures, '$[0 to 19]'
      ));
    end if;
  end loop;
  update public.job_runs r set counts = v_counts, seen_at = clock_timestamp() where r.id = run_id;
  return v_settled;
exception
  when others or query_canceled then
    perform jobs.close_run(v_run, failure => sqlerrm);
    return null;
end
$$;

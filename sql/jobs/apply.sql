-- A slice of a step: lock its clients, look again whether they are still to change, ask the rules, change them,
-- and count, all in one transaction. Answers the clients that another session holds, to be tried again.
-- It can do nothing that the run's own calendar and rules do not ask for.
create or replace function jobs.apply(
  run_id     bigint,
  action     text,
  word       text,
  period     text,
  client_ids bigint[],
  last_try   boolean default false
)
returns bigint[]
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $$
declare
  v_run     public.job_runs := (select r from public.job_runs r where r.id = run_id and r.outcome = 'running');
  v_counts  jsonb := v_run.counts;
  v_locked  bigint[];
  v_held    bigint[];
  v_wanted  bigint[];
  v_judged  record;
  v_done    jsonb;
begin
  -- LOCK: in the order of every bulk move; nobody's open transaction stops the others
  v_locked := array(
    select c.id from public.clients c where c.id = any (client_ids) order by c.id for no key update skip locked
  );
  if cardinality(v_locked) < cardinality(client_ids) then
    v_held := array(select id from unnest(client_ids) as id except select unnest(v_locked) order by 1);
  end if;

  -- GUARD: what was true before the lock may not be true now
  v_wanted := array(
    select ch.client_id
    from jobs.changes(v_run.job, v_run.due_at, v_run.as_of, v_locked) ch
    where ch.action = apply.action and ch.word = apply.word and ch.period is not distinct from apply.period
  );

  -- ACT
  for v_judged in
    select j.refused_by, array(select unnest(array_agg(id)) order by 1) as ids
    from jobs.judge(jobs.actor_of(v_run.job), action, word, v_wanted) j
    cross join unnest(j.clients) as id
    group by 1
  loop
    if v_judged.refused_by is not null then
      v_counts := jobs.add_counts(v_counts, v_judged.refused_by, cardinality(v_judged.ids), true);
      continue;
    end if;
    v_done := jobs.change_clients(jobs.change_of(v_run, action, word, period), action, word, v_judged.ids);
    v_counts := jobs.add_counts(
      v_counts,
      case action when 'move' then 'moved' when 'set' then 'flagged' else 'cleared' end,
      (v_done ->> 'changed')::bigint
    );
    if v_done -> 'errors' <> '[]' then
      v_counts := jobs.add_counts(v_counts, 'error', jsonb_array_length(v_done -> 'errors'), true)
        || jsonb_build_object('errors', jsonb_path_query_array(
          coalesce(v_counts -> 'errors', '[]') || (v_done -> 'errors'), '$[0 to 19]'
        ));
    end if;
  end loop;
  if last_try then
    v_counts := jobs.add_counts(v_counts, 'held_by_another_session', cardinality(v_held), true);
  end if;
  update public.job_runs r set counts = v_counts where r.id = run_id;
  return v_held;
end
$$;

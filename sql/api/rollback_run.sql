create or replace function api.rollback_run(
  run_id bigint,
  reason text
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  v_actor   constant text := rules.current_actor();
  v_context rules.change_context;
  v_run     public.job_runs;
  v_rows    bigint[];            -- of the run: each client's newest row that was not tried yet
  v_clients rules.client_state[];
  v_changes rules.change[];
  v_blocked jsonb;
  v_failed  jsonb;
  v_left    jsonb := jsonb '[]';
  v_done    bigint := 0;
  v_round   integer := 0;
begin
  -- OPEN
  v_context := rules.open_context(v_actor, reason, reason_required => true);
  perform rules.require_permission(v_actor, 'can_admin');
  select r.* into v_run from public.job_runs r where r.id = run_id;
  if v_run.id is null then
    perform rules.refuse('run_not_found', jsonb_build_object('run_id', run_id));
  elsif v_run.outcome = 'running' then
    perform rules.refuse('run_at_work', jsonb_build_object('run_id', run_id, 'job', v_run.job));
  end if;

  -- A run may have changed a client more than once: its newest change goes first.
  loop
    v_round := v_round + 1;
    v_rows := array(
      select n.id
      from (
        select h.id, row_number() over (partition by h.client_id order by h.version desc) as place
        from public.stage_history h
        where h.channel = 'cron' and h.payload ? 'run_id' and (h.payload ->> 'run_id')::bigint = run_id
      ) n
      where n.place = v_round
    );
    exit when cardinality(v_rows) = 0;

    -- LOCK
    v_clients := rules.lock_clients(array(select h.client_id from public.stage_history h where h.id = any (v_rows)));

    -- EVALUATE
    select
      array_agg((
        (
          v_actor, v_context.channel, v_context.reason, null, null, null, null,
          jsonb_build_object('rolls_back_run', run_id), false, h.id
        )::rules.change_context,
        c, rules.state_after_rollback(c, h.*)
      )::rules.change) filter (where v.violations is null),
      coalesce(
        jsonb_agg(v.violations[1].facts || jsonb_build_object('rule', v.violations[1].rule))
          filter (where v.violations is not null),
        '[]'
      )
    into v_changes, v_blocked
    from unnest(v_clients) c
    join public.stage_history h on h.client_id = c.id and h.id = any (v_rows)
    cross join lateral (select rules.reversal_violations(c, h.*)) as v (violations);

    -- WRITE
    select coalesce(jsonb_agg(
      coalesce((w.violation).facts, '{}') || jsonb_build_object('rule', (w.violation).rule, 'client_id', w.client_id)
    ), '[]')
    into v_failed
    from rules.write_changes(coalesce(v_changes, array[]::rules.change[])) w;
    v_done := v_done + coalesce(cardinality(v_changes), 0) - jsonb_array_length(v_failed);
    v_left := v_left || v_blocked || v_failed;
  end loop;

  -- ANSWER
  return jsonb_build_object('run_id', run_id, 'job', v_run.job, 'rolled_back', v_done, 'left', v_left);
end
$$;

comment on function api.rollback_run(bigint, text) is
'Roll back everything that a job run changed.
run_id: as jobs.runs lists it. reason: why, at most 2,000 characters. Needs can_admin.
Every change that no later change depends on is rolled back by its own history row; the others are listed and kept. A second
call rolls back what has become free since.
Returns {run_id, job, rolled_back, left}: the number of changes rolled back; for each other change its client_id, history_id, rule
and facts.
Errors: permission_missing (403); run_not_found (404); run_at_work (409); reason_required, text_too_long, text_not_clean (422);
client_locked (503).';

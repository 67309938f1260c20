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
  v_answer  jsonb;
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

  -- LOCK, EVALUATE and WRITE
  v_answer := rules.reversal_answer(v_context, jsonb_build_object('rolls_back_run', run_id), array(
    select h.id
    from public.stage_history h
    where h.channel = 'cron' and h.payload ? 'run_id' and (h.payload ->> 'run_id')::bigint = run_id
  ));
  -- the period is free: the next start does the work again
  update public.job_runs r
  set outcome = 'rolled_back', error = 'rolled back by ' || v_actor
  where r.id = run_id
    and r.outcome <> 'rolled_back'
    and (v_answer ->> 'rolled_back')::bigint > 0;

  -- ANSWER
  return jsonb_build_object('run_id', run_id, 'job', v_run.job) || v_answer;
end
$$;

comment on function api.rollback_run(bigint, text) is
'Roll back everything that a job run changed.
run_id: as jobs.runs lists it. reason: why, at most 2,000 characters. Needs can_admin.
Every change that no later change depends on is rolled back by its own history row; the others are listed and kept. A second
call rolls back what has become free since. The period of the run is free again: the next start of the job does its work.
Returns {run_id, job, rolled_back, left}: the number of changes rolled back; for each other change its client_id, history_id, rule,
text and facts.
Errors: permission_missing (403); run_not_found (404); run_at_work (409); reason_required, text_too_long, text_not_clean (422);
client_locked, retry (503).';

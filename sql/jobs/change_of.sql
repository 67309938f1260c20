-- The context of a run's change.
create or replace function jobs.change_of(
  run    public.job_runs,
  action text,
  word   text,
  period text
)
returns rules.change_context
language plpgsql
stable
as $$
declare
  v_context rules.change_context;
begin
  v_context.actor_id := jobs.actor_of(run.job);
  v_context.channel := 'cron';
  -- time makes a client stuck; that it no longer is has another cause
  v_context.trigger_type := case when run.job = 'stage_stuck_detector' and action = 'clear' then 'auto_event' else 'auto_time' end;
  v_context.reason := jobs.reason(run.job, action, word, period);
  v_context.payload := jsonb_strip_nulls(jsonb_build_object('run_id', run.id, 'due_at', run.due_at, 'period', period));
  v_context.override := false;
  return v_context;
end
$$;

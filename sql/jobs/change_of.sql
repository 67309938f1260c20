-- The context of a run's change, as rules.begin_change takes it.
create or replace function jobs.change_of(
  run    public.job_runs,
  action text,
  word   text,
  period text
)
returns jsonb
language plpgsql
stable
as $$
begin
  return jsonb_build_object(
    'actor_id', jobs.actor_of(run.job),
    'channel', 'cron',
    -- time makes a client stuck; that it no longer is has another cause
    'trigger_type', case
      when run.job = 'stage_stuck_detector' and action = 'clear' then 'auto_event'
      else 'auto_time'
    end,
    'reason', jobs.reason(run.job, action, word, period),
    'payload', jsonb_strip_nulls(jsonb_build_object('run_id', run.id, 'due_at', run.due_at, 'period', period))
  );
end
$$;

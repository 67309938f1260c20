-- What a step makes of clients, as they are now: changes to be evaluated and written.
create or replace function jobs.changes_of(
  job        text,
  due_at     timestamptz,
  run_id     bigint,      -- null: a dry run
  step       jobs.step,
  client_ids bigint[]
)
returns rules.change[]
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_context rules.change_context;
begin
  -- a job is an actor like any other
  v_context.actor_id := 'system:cron:' || job;
  v_context.channel := 'cron';
  v_context.reason := step.reason;
  v_context.trigger_type := step.trigger_type;
  v_context.payload := jsonb_strip_nulls(jsonb_build_object('run_id', run_id, 'due_at', due_at, 'period', step.period));
  v_context.override := false;

  return array(
    select (
      v_context,
      s.before,
      case step.action
        when 'move' then rules.moved(s.before, step.word)
        else rules.flagged(s.before, step.word, step.action = 'set')
      end
    )::rules.change
    from (
      select rules.state_of(c.*) as before from public.clients c where c.id = any (client_ids) order by c.id offset 0
    ) s
  );
end
$$;

-- The items that a step asks for, of clients as they are now.
create or replace function jobs.items_of(
  job        text,
  due_at     timestamptz,
  run_id     bigint,      -- null: a dry run
  step       jobs.step,
  client_ids bigint[]
)
returns rules.item[]
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
      0, c.id, step.action, step.word, null, null, c.version, v_context, c.state,
      rules.state_after(c.state, step.action, step.word), true, false, null, null
    )::rules.item
    from (
      select c.id, c.version, rules.state_of(c.*) as state
      from public.clients c
      where c.id = any (client_ids)
      order by c.id
      offset 0
    ) c
  );
end
$$;

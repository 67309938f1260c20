-- EVALUATE a step of a run: one item for each of these clients as they are now, with the rules that forbid it.
create or replace function jobs.evaluate_step(
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
  v_context.actor_id := rules.job_actor(job);  -- with grants like any other actor
  v_context.channel := 'cron';
  v_context.reason := step.reason;
  v_context.trigger_type := step.trigger_type;
  v_context.payload := jsonb_strip_nulls(jsonb_build_object(
    'run_id', run_id, 'due_at', due_at, 'period', case when step.action <> 'move' then step.period end
  ));
  v_context.override := false;
  if step.action = 'give_back' then
    return rules.give_back(step.word::bigint, v_context, client_ids);
  end if;
  return rules.evaluate(array(
    select rules.open_item(
      step.action, c.id, step.word, v_context, c.version,
      before => c.state, is_locked => true,
      after => rules.state_after(
        c.state, step.action, step.word, close_period => case when step.action = 'move' then step.period end
      )
    )
    from (
      select c.id, c.version, rules.state_of(c.*) as state
      from public.clients c
      where c.id = any (client_ids)
      order by c.id
      offset 0
    ) c
  ));
end
$$;

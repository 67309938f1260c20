-- Why a change happened, in one word: follows from who made it and how.
create or replace function rules.trigger_type(context rules.change_context)
returns text
language sql
immutable
as $$
  select case
    when context.rolls_back is not null then 'rollback'
    when context.override then 'manual_override'
    when context.channel = 'event_webhook' and context.triggered_by is not null then 'auto_event'
    when context.actor_id like 'system:cron:%' then coalesce(context.trigger_type, 'auto_time')
    when context.actor_id like 'agent:%' then 'agent_action'
    else 'manual'
  end
$$;

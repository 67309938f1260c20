-- Why a change happened, in one word: follows from who made it and how.
create or replace function rules.trigger_type(change jsonb)
returns text
language sql
immutable
return case
  when change ? 'rolls_back' then 'rollback'
  when (change ->> 'override')::boolean then 'manual_override'
  when change ->> 'channel' = 'event_webhook' and change ->> 'triggered_by' is not null then 'auto_event'
  when change ->> 'actor_id' like 'system:cron:%' then coalesce(change ->> 'trigger_type', 'auto_time')
  when change ->> 'actor_id' like 'agent:%' then 'agent_action'
  else 'manual'
end;

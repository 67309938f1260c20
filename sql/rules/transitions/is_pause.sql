create or replace function rules.is_pause(stage text)
returns boolean
language sql
immutable
parallel safe
return stage in ('paused_client', 'paused_internal');

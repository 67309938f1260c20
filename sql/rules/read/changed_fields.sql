-- The fields that a history row changed, each with its value before (from) and after (to); {} for a row of a stage or
-- flag. Erased words are not among them.
create or replace function rules.changed_fields(row_ public.stage_history)
returns jsonb
language sql
immutable
return case
  when row_.version > 0 and row_.to_stage is null and row_.flag_added is null and row_.flag_removed is null
    and jsonb_typeof(row_.payload -> 'changed') = 'object'
    then row_.payload -> 'changed'
  else '{}'
end;

-- BEFORE UPDATE, DELETE (each row) and TRUNCATE (statement) on stage_history: never, by anyone.
create or replace function rules.refuse_history_change()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform rules.refuse('history_is_append_only');
  return null;
end
$$;

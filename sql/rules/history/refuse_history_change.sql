-- BEFORE UPDATE, DELETE (each row) and TRUNCATE (statement) on stage_history: never, by anyone. Only the first row of a
-- client that is there no more may go after it: api.delete_client takes out what was made by mistake.
create or replace function rules.refuse_history_change()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
begin
  if tg_op = 'DELETE' then
    if old.version = 0 and not exists (select from public.clients c where c.id = old.client_id) then
      return old;
    end if;
  end if;
  perform rules.refuse('history_is_append_only');
  return null;
end
$$;

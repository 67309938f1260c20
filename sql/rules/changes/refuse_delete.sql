-- BEFORE DELETE ROW on clients, for plain SQL: say what to do instead, rather than let the history's key say no.
create or replace function rules.refuse_delete()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
begin
  perform rules.refuse('client_is_kept', jsonb_build_object('client_id', old.id));
  return null;
end
$$;

-- BEFORE UPDATE, DELETE (each row) and TRUNCATE (statement) on stage_history: refuse, for every
-- role. Three changes rewrite nothing and are allowed: giving a hash to a row without one, erasing
-- a row's words so that their hash remains, and removing the row of a deleted client
-- (api.delete_client).
create or replace function rules.refuse_history_change()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  v_allowed public.stage_history;
begin
  if tg_op = 'DELETE' then
    if old.version = 0 and not exists (select from public.clients c where c.id = old.client_id) then
      return old;
    end if;
  elsif tg_op = 'UPDATE' then
    v_allowed := old;
    if old.row_hash is null then
      v_allowed.row_hash := new.row_hash;
      v_allowed.words_salt := new.words_salt;
    elsif old.words_hash is null then
      v_allowed := rules.without_words(old);
    end if;
    -- compared byte by byte, including any columns that the host has added
    if v_allowed *= new then
      return new;
    end if;
  end if;
  perform rules.refuse('history_is_append_only');
  return null;
end
$$;

-- BEFORE INSERT ROW on stage_history: the row's hash, whoever writes it. It goes on from the client's version before:
-- that one's hash may come as the new row's own, else it is looked up. Where there is none yet, this row gets none
-- either, and `migrate` gives both theirs.
create or replace function rules.hash_history_row()
returns trigger
language plpgsql
volatile
-- only the index of the versions gives this order: nobody may sort for it
set enable_sort = off
set enable_incremental_sort = off
as $$
#variable_conflict use_variable
declare
  v_previous bytea := case when new.version = 0 then '' else new.row_hash end;
begin
  if v_previous is null then
    v_previous := (
      select case when h.client_id = new.client_id and h.version = new.version - 1 then h.row_hash end
      from public.stage_history h
      where (h.client_id, h.version) <= (new.client_id, new.version - 1)
      order by h.client_id desc, h.version desc
      limit 1
    );
    if v_previous is null then
      return new;
    end if;
  end if;
  new.words_salt := gen_random_uuid();
  new.row_hash := rules.row_hash(
    new,
    rules.words_hash(new.words_salt, new.reason, new.on_behalf_of, new.triggered_by, new.payload, new.external_id),
    v_previous
  );
  return new;
end
$$;

-- BEFORE INSERT ROW on stage_history: set row_hash, no matter who writes the row.
-- rules.write_history passes the hash of the client's version before as the new row's own, which
-- saves a look-up. Where the version before has no hash yet, this row gets none: `migrate` gives
-- both theirs (ops.hash_history).
create or replace function rules.hash_history_row()
returns trigger
language plpgsql
volatile
as $$
#variable_conflict use_variable
begin
  if rules.is_replicated() then
    return new;
  end if;
  if new.version = 0 then
    new.row_hash := '';
  elsif new.row_hash is null then
    new.row_hash := rules.hash_before(new.client_id, new.version);
  end if;
  if new.row_hash is not null then
    new.words_salt := gen_random_uuid();
    new.row_hash := rules.history_hash(new, new.row_hash);
  end if;
  return new;
end
$$;

-- BEFORE INSERT ROW on administration_history: number the record within its key and set row_hash,
-- no matter who writes it. The writer holds the lock of the row that the record is about, so two
-- records of one key never have the same predecessor. A transaction with an older snapshot fails on
-- the unique (about, key, version).
create or replace function rules.hash_administration_row()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  v_previous public.administration_history;
begin
  if rules.is_replicated() then
    return new;
  end if;
  select a.* into v_previous
  from public.administration_history a
  where a.about = new.about
    and a.key = new.key
    and a.version is not null
  order by a.version desc
  limit 1;

  new.version := coalesce(v_previous.version + 1, 0);
  new.row_hash := rules.administration_hash(
    new, case when new.version = 0 then '' else v_previous.row_hash end
  );
  return new;
end
$$;

-- Whether a word, if there is one, is among those that a CHECK of `clients` lists;
-- the CHECK is the one place they stand.
create or replace function rules.is_known(
  check_name text,
  word       text
)
returns boolean
language plpgsql
stable
-- written out as below, however the database likes its names
set quote_all_identifiers = off
as $$
#variable_conflict use_variable
begin
  return word is null or exists (
    select
    from pg_catalog.pg_constraint c
    where c.conrelid = 'public.clients'::regclass
      and c.conname = check_name
      and position(quote_literal(word) || '::text' in pg_get_constraintdef(c.oid)) > 0
  );
end
$$;

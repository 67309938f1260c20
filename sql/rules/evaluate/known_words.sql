-- The words that a CHECK lists, in its order. They are defined only there.
create or replace function rules.known_words(check_name text)
returns text[]
language plpgsql
stable
-- render names as below under every setting of the database
set quote_all_identifiers = off
as $$
#variable_conflict use_variable
begin
  return array(
    select found.word[1]
    from pg_catalog.pg_constraint c
    cross join lateral regexp_matches(pg_get_constraintdef(c.oid), '''([a-z0-9_]+)''::text', 'g')
      with ordinality as found (word, place)
    where c.connamespace = 'public'::regnamespace
      and c.conname = check_name
    order by found.place
  );
end
$$;

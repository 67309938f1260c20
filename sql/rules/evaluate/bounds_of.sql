-- The bounds that a CHECK gives a number, an interval or a time, in words: "at least 1 and at most 28". Null if it
-- checks anything else.
create or replace function rules.bounds_of(check_name text)
returns text
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_bounds constant text[] := array(
    select case found.part[1] when '>=' then 'at least ' when '<=' then 'at most ' when '>' then 'more than ' else 'less than ' end
      || found.part[2]
    from pg_catalog.pg_constraint c
    cross join lateral regexp_matches(pg_get_constraintdef(c.oid), '(>=|<=|>|<) [(]?''?([0-9][0-9:.a-z ]*?)''?(?:::|[)])', 'g')
      with ordinality as found (part, place)
    where c.connamespace = 'public'::regnamespace
      and c.conname = check_name
    order by found.place
  );
begin
  return nullif(array_to_string(v_bounds, ' and '), '');
end
$$;

-- Whether a caller's JSON stays small when it is written out. A number such as 1e131071 takes a few bytes as it is
-- kept and a hundred thousand as text, so its digits are counted before anything is made of it.
create or replace function rules.is_small_json(
  value     jsonb,
  max_bytes integer
)
returns boolean
language plpgsql
immutable
as $$
#variable_conflict use_variable
begin
  return pg_column_size(value) <= max_bytes
    and not exists (
      select
      from jsonb_path_query(value, 'strict $.** ? (@.type() == "number")') as found (number)
      where scale(found.number::numeric) > 40
        or abs(found.number::numeric) >= 1e40
    );
end
$$;

-- Whether a caller's JSON stays small when it is written as text. jsonb stores 1e131071 in a few
-- bytes, but as text it has 131,072 digits. Checking the range of each number reads the value once,
-- about 0.25 µs per number, and stops at the first number that is too long. Zeros are checked
-- separately, because only their scale (0e-16383) makes them long. The path has to be tested by
-- jsonb_path_exists: jsonb_path_query takes time quadratic in the numbers it returns.
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
    and not jsonb_path_exists(
      value, 'strict $.** ? (@ >= 1e40 || @ <= -1e40 || (@ < 1e-40 && @ > -1e-40 && @ != 0))'
    )
    and not exists (
      select
      from jsonb_array_elements(jsonb_path_query_array(value, 'strict $.** ? (@ == 0)')) as zero (number)
      where scale(zero.number::numeric) > 40
    );
end
$$;

-- The whole number that a text reads as, by the very reading that a bigint argument has; null where it is none.
create or replace function rules.whole_number(said text)
returns bigint
language plpgsql
immutable
as $$
begin
  return said::bigint;
exception when data_exception then
  return null;
end
$$;

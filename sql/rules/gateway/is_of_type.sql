-- Whether a JSON value is one of an argument's type, without being bent into it; null is of every type.
create or replace function rules.is_of_type(
  value jsonb,
  type  text
)
returns boolean
language plpgsql
immutable
as $$
begin
  return case
    when jsonb_typeof(value) = 'null' or type = 'jsonb' then true
    when type = 'text' then jsonb_typeof(value) = 'string'
    when jsonb_typeof(value) = 'number' and type = 'bigint' then
      value::numeric % 1 = 0 and value::numeric between -9223372036854775808 and 9223372036854775807
    else jsonb_typeof(value) = type
  end;
end
$$;

-- Whether an argument has its type: a value of a body has the JSON type, a text of a query or path
-- can be read as the type. Only digits are a number, and that is decided before any cast:
-- PostgreSQL 16 and later read 24_7, 0x18 and ' 7 ' as numbers.
create or replace function rules.is_of_type(
  value   jsonb,
  type    regtype,
  kind    text,  -- the JSON type; text: it came in a query or path
  written text   -- a text, a number or an array as the caller wrote it
)
returns boolean
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_fits constant boolean := case
    when type in ('bigint'::regtype, 'integer'::regtype) then written ~ '^-?[0-9]{1,19}$'
    when type = 'bigint[]'::regtype and kind = 'text' then
      written ~ '^[{](-?[0-9]+(,-?[0-9]+)*)?[}]$'
    when type = 'bigint[]'::regtype then
      translate(written, E' \t\r\n', '') ~ '^[[](-?[0-9]+(,-?[0-9]+)*)?[]]$'
    when type = 'date'::regtype then value #>> '{}' ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$' and kind in ('string', 'text')
    when kind = 'text' then true
    when type = 'boolean'::regtype then kind = 'boolean'
    when type = 'text[]'::regtype then
      kind = 'array'
      and not jsonb_path_exists(value, 'strict $[*] ? (@.type() != "string")')
    else kind = 'string'
  end;
begin
  if v_fits is not true then
    return false;
  end if;
  -- @plpgsql_check_options: security_warnings = off
  execute format(
    case
      when type::text like '%[]' then 'select rules.array_texts($1)::%s'
      else 'select ($1 #>> ''{}'')::%s'
    end,
    type
  ) using value;
  return true;
exception when data_exception then
  return false;
end
$$;

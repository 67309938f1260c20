-- The arguments in a request's body: a JSON object, or nothing. The body comes as bytes, so that
-- what isn't text is refused here, in our words.
create or replace function rules.body_arguments(
  body         bytea,
  content_type text
)
returns jsonb
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_text text;
begin
  if content_type !~* '^( *application/json *(; *charset="?utf-8"? *)?)?$' then
    perform rules.refuse('content_type_not_supported');
  end if;
  v_text := ltrim(convert_from(body, 'UTF8'), E' \t\r\n');
  if v_text = '' then
    return jsonb '{}';
  end if;
  if v_text not like '{%' then
    perform rules.refuse('body_not_valid');
  end if;
  -- jsonb is slow to read: 2,500,000 numbers or 400,000 names would take half a second
  if octet_length(body) > 100000 then
    if length(v_text) - length(replace(v_text, ',', '')) > 300000 then
      perform rules.refuse('body_too_large');
    end if;
    if (select count(*) from json_object_keys(v_text::json)) > 1000 then
      perform rules.refuse('unknown_argument', '{"expected": "at most 1,000 names"}');
    end if;
  end if;
  return v_text::jsonb;
exception when data_exception or statement_too_complex or program_limit_exceeded then
  perform rules.refuse('body_not_valid');
  return null;
end
$$;

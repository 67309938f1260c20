-- The one entry point behind the gateway: find out which function of `api` a request means and
-- with which arguments, for /api/… and /rpc/… alike, and call it. pre_request has resolved the
-- token before. Every request pays for each expression here and in the functions called here.
create or replace function rules.answer_request(body bytea)
returns json
language plpgsql
volatile
as $$
#variable_conflict use_variable
declare
  v_headers  constant json := nullif(current_setting('request.headers', true), '')::json;
  -- the method and the address as the caller sent them; only the gateway can set it
  v_request  constant text := coalesce(v_headers ->> 'x-atlas-request', '');
  v_method   constant text := split_part(v_request, ' ', 1);
  v_path     constant text := split_part(split_part(v_request, ' ', 2), '?', 1);
  v_query    constant text := substr(v_request, length(v_method) + length(v_path) + 3);
  v_called   text;
  v_endpoint jsonb;  -- null: the path is the function's own
  v_text     text;
  v_said     jsonb := jsonb '{}';
begin
  -- THE FUNCTION
  if v_path like '/rpc/%' then
    v_called := substr(v_path, 6);
    if v_method not in ('GET', 'HEAD', 'POST') then
      perform rules.refuse_method('{GET, POST}');
    end if;
  else
    v_endpoint := rules.path_endpoint(v_method, v_path);
    v_called := v_endpoint ->> 'called';
  end if;

  -- THE QUERY
  if v_query <> '' then
    v_said := rules.query_arguments(v_query, v_method, v_endpoint ->> 'limit');
  end if;
  if v_method in ('GET', 'HEAD') then
    return rules.call_function(v_called, v_said, v_endpoint -> 'texts', null);
  end if;

  -- THE BODY: a JSON object, or nothing; as bytes, so that what isn't text is refused in our words
  if v_headers ->> 'x-atlas-content-type' !~* '^( *application/json *(; *charset="?utf-8"? *)?)?$' then
    perform rules.refuse('content_type_not_supported');
  end if;
  begin
    v_text := ltrim(convert_from(body, 'UTF8'), E' \t\r\n');
    -- jsonb is slow to read: 2,500,000 numbers or 400,000 names would take half a second
    if octet_length(body) > 100000 and v_text <> '' then
      if length(v_text) - length(replace(v_text, ',', '')) > 300000 then
        perform rules.refuse('body_too_large');
      end if;
      if (select count(*) from json_object_keys(v_text::json)) > 1000 then
        perform rules.refuse('unknown_argument', '{"expected": "at most 1,000 names"}');
      end if;
    end if;
    v_said := coalesce(nullif(v_text, ''), '{}')::jsonb;
  exception when data_exception or statement_too_complex or program_limit_exceeded then
    perform rules.refuse('body_not_valid');
  end;
  if jsonb_typeof(v_said) <> 'object' then
    perform rules.refuse('body_not_valid');
  end if;
  return rules.call_function(v_called, v_said, v_endpoint -> 'texts', body);
end
$$;

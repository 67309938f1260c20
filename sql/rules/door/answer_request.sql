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
  -- the method and the address as the caller sent them; only the gateway can set it
  v_request  text := rules.plain_header('x-atlas-request');
  v_method   text;
  v_address  text;
  v_path     text;
  v_called   text;
  v_meant    record;
  v_by_path  jsonb;  -- null: the path is the function's own
  v_limited  text;
  v_text     text;
  v_said     jsonb := jsonb '{}';
begin
  if v_request = '' or strpos(v_request, E'\\') > 0 then
    v_request := rules.request_header('x-atlas-request');
  end if;
  v_method := split_part(v_request, ' ', 1);
  v_address := substr(v_request, length(v_method) + 2);
  v_path := split_part(v_address, '?', 1);

  -- THE FUNCTION
  if v_path like '/rpc/%' then
    v_called := substr(v_path, 6);
    if v_method not in ('GET', 'HEAD', 'POST') then
      perform rules.refuse_method('{GET, POST}');
    end if;
  else
    v_meant := rules.path_endpoint(v_method, v_path);
    v_called := v_meant.endpoint ->> 'called';
    v_by_path := coalesce(v_meant.texts, '{}');
  end if;

  -- THE QUERY
  if length(v_address) > length(v_path) + 1 then
    if v_by_path is not null then
      v_limited := v_meant.endpoint ->> 'limit';
    end if;
    v_said := rules.query_arguments(substr(v_address, length(v_path) + 2), v_method, v_limited);
  end if;
  if v_method in ('GET', 'HEAD') then
    return rules.call_function(v_called, v_said, v_by_path, null);
  end if;

  -- THE BODY: a JSON object, or nothing; as bytes, so that what isn't text is refused in our words
  if rules.plain_header('x-atlas-content-type') <> 'application/json' then
    if rules.request_header('x-atlas-content-type') !~* '^( *application/json *(; *charset="?utf-8"? *)?)?$' then
      perform rules.refuse('content_type_not_supported');
    end if;
  end if;
  begin
    v_text := ltrim(convert_from(body, 'UTF8'), E' \t\r\n');
    -- jsonb is slow to read: 2,500,000 numbers or 400,000 names would take half a second
    if octet_length(body) > 100000 then
      if length(v_text) - length(replace(v_text, ',', '')) > 300000 then
        perform rules.refuse('body_too_large');
      end if;
      if v_text <> '' and (select count(*) from json_object_keys(v_text::json)) > 1000 then
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
  return rules.call_function(v_called, v_said, v_by_path, v_text);
end
$$;

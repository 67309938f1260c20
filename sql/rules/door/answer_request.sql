-- The one endpoint behind the gateway: find out which function of `api` the request means and with which arguments,
-- for /api/… and /rpc/… alike, and call it. pre_request has resolved the token already.
-- X-Atlas-Request is the method and the address as the caller sent them; only the gateway can set it.
create or replace function rules.answer_request(body bytea)
returns json
language plpgsql
volatile
as $$
#variable_conflict use_variable
declare
  v_headers  constant json := nullif(current_setting('request.headers', true), '')::json;
  v_request  constant text := coalesce(v_headers ->> 'x-atlas-request', '');
  v_method   constant text := split_part(v_request, ' ', 1);
  v_path     constant text := split_part(split_part(v_request, ' ', 2), '?', 1);
  v_query    constant text := substr(v_request, length(v_method) + length(v_path) + 3);
  v_called   text;
  v_by_path  jsonb := '{}';
  v_by_query jsonb;
  v_text     text;
  v_written  json;
  v_said     jsonb;
begin
  -- WHICH FUNCTION
  if v_path ~ '^/rpc/[a-z_]+$' then
    v_called := substr(v_path, 6);
    if v_method not in ('GET', 'HEAD', 'POST') then
      perform rules.refuse_method('{GET, POST}');
    end if;
  else
    select e.called, e.by_path, e.by_query into v_called, v_by_path, v_by_query from rules.path_endpoint(v_method, v_path) e;
  end if;

  -- WHICH ARGUMENTS
  if v_method in ('GET', 'HEAD') then
    return rules.call_function(v_called, v_by_path, rules.query_arguments(v_query, v_by_query), null);
  end if;
  if v_query <> '' then
    perform rules.refuse('unknown_argument', jsonb_build_object('expected', 'arguments in the body only'));
  end if;
  if v_headers ->> 'x-atlas-content-type' !~* '^(\s*application/json\s*(;\s*charset="?utf-8"?\s*)?)?$' then
    perform rules.refuse('content_type_not_supported');
  end if;
  begin
    v_text := coalesce(nullif(ltrim(convert_from(body, 'UTF8'), E' \t\r\n'), ''), '{}');
    -- numbers are slow to read: 2,500,000 of them would take a quarter of a second
    if octet_length(v_text) > 1000000 and length(v_text) - length(replace(v_text, ',', '')) > 500000 then
      perform rules.refuse('body_too_large');
    end if;
    v_written := v_text::json;
    if json_typeof(v_written) <> 'object' then
      perform rules.refuse('body_not_valid');
    end if;
    v_said := v_text::jsonb;
  exception when data_exception or statement_too_complex or program_limit_exceeded then
    perform rules.refuse('body_not_valid');
  end;
  return rules.call_function(v_called, v_by_path, v_said, v_written);
end
$$;

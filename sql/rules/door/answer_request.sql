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
  v_said     jsonb := jsonb '{}';
begin
  if v_path like '/rpc/%' then
    v_called := substr(v_path, 6);
    if v_method not in ('GET', 'HEAD', 'POST') then
      perform rules.refuse_method('{GET, POST}');
    end if;
  else
    v_endpoint := rules.path_endpoint(v_method, v_path);
    v_called := v_endpoint ->> 'called';
  end if;

  if v_query <> '' then
    v_said := rules.query_arguments(v_query, v_method, v_endpoint ->> 'limit');
  end if;
  if v_method in ('GET', 'HEAD') then
    return rules.call_function(v_called, v_said, v_endpoint -> 'texts', null);
  end if;
  v_said := rules.body_arguments(body, v_headers ->> 'x-atlas-content-type');
  return rules.call_function(v_called, v_said, v_endpoint -> 'texts', body);
end
$$;

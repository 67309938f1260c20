create or replace function api.call_by_path(bytea)
returns api."application/json"
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_headers jsonb := nullif(current_setting('request.headers', true), '')::jsonb;
  v_called  text  := v_headers ->> 'x-atlas-function';
begin
  if v_called is null then
    perform rules.refuse('function_not_found');
  end if;
  return rules.dispatch(v_called, rules.call_arguments(
    v_called,
    array(select translate(substr(h.name, 14), '-', '_') from jsonb_object_keys(v_headers) h (name) where h.name like 'x-atlas-path-%'),
    $1
  ));
end
$$;

comment on function api.call_by_path(bytea) is
'For the gateway: a write of the plan''s paths, such as PATCH /api/clients/:id/stage.
The gateway''s headers name the function and hold the arguments of the path; the body is a JSON object of the others, or empty.
Called as /rpc/call_by_path it is refused: no function is named.
Answers and errors: those of the function; body_not_valid, unknown_argument, argument_not_valid (400).';

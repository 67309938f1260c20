create or replace function api.call_by_name(bytea)
returns api."application/json"
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return rules.call_by_name($1);
end
$$;

comment on function api.call_by_name(bytea) is
'For the gateway: a call whose arguments the rules read themselves.
PostgREST would not read them as they are meant, a slug in the place of an id among them, or has refused the call in words of its own.
The gateway''s headers name the function and hold the query of a read; the body of any other call is the JSON object of its arguments. Called as /rpc/call_by_name it is refused: no function is named.
Answers what the function does.
Errors: those of the function; body_not_valid, unknown_argument, argument_missing, argument_not_valid (400), function_not_found (404); service_away (503) where PostgREST has refused the call and nothing is wrong with it.';

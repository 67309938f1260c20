create or replace function api.write(bytea)
returns api."application/json"
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return rules.answer_request($1);
end
$$;

comment on function api.write(bytea) is
'For the gateway: every POST, PATCH and DELETE. The argument is the body.
The method and the address are in X-Atlas-Request, which only the gateway can set.
Called as /rpc/write it is refused: it has no named arguments.
Returns what the requested function returns.
Errors: those of that function; body_not_valid, unknown_argument, argument_missing,
argument_not_valid (400); function_not_found, path_not_found (404); method_not_allowed (405);
body_too_large (413); content_type_not_supported (415).';

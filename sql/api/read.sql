create or replace function api.read(bytea)
returns api."application/json"
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return rules.answer_request($1);
end
$$;

comment on function api.read(bytea) is
'For the gateway: every GET and HEAD, in a transaction that only reads; on a standby every request.
The method and the address are in X-Atlas-Request, which only the gateway can set.
Called as /rpc/read it is refused: it has no named arguments.
Returns what the requested function returns.
Errors: those of that function; unknown_argument, argument_twice, argument_missing,
argument_not_valid (400); function_not_found, path_not_found (404); method_not_allowed (405), also
for a function that writes; service_away (503) for a write on a standby.';

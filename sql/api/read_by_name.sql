create or replace function api.read_by_name(bytea)
returns api."application/json"
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return rules.call_by_name($1);
end
$$;

comment on function api.read_by_name(bytea) is
'For the gateway: call_by_name in a transaction that only reads, which is the only kind that a standby has.
What only reads is called; of what writes it is said what is wrong with the call. Called as /rpc/read_by_name it is refused: no function is named.
Answers what the function does.
Errors: those of call_by_name; service_away (503) also for a call that writes and is not made here.';

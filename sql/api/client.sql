create or replace function api.client(client_id bigint)
returns api."application/json"
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_actor  text := rules.current_actor();
  v_client public.clients := rules.require_client(client_id);
begin
  return json_build_object('client', rules.client_json(v_client), 'history', rules.newest_history(v_client.id, v_client.version));
end
$$;

comment on function api.client(bigint) is
'One client with its newest history row.
client_id: the client. Any actor may read.
Answers {client, history}: every column of the client plus age_days (whole days in its stage) and attention
(null, stuck, or waiting_on_client).
Errors: client_not_found (404).';

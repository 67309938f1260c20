create or replace function api.client(client_id bigint)
returns api."application/json"
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  v_answer json;
begin
  perform rules.require_actor();
  select json_build_object('client', shown.client, 'history', row_to_json(h.*))
  into v_answer
  from rules.shown_clients(array[client_id]) shown
  left join rules.shown_history h on h.client_id = shown.id and h.version = shown.version;
  if not found then
    perform rules.refuse('client_not_found', jsonb_build_object('client_id', client_id));
  end if;
  return v_answer;
end
$$;

comment on function api.client(bigint) is
'Show one client and its newest history row.
Any actor can read. client_id: the client.
Returns {client, history}: the client''s fields, age_days (whole days in its stage) and attention (null, stuck, late or waiting_on_client).
Errors: client_not_found (404).';

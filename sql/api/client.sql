create or replace function api.client(client_id bigint)
returns api."application/json"
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  v_actor constant text := rules.current_actor();
  v_answer json;
begin
  -- its row in order: see rules.answer_items
  select json_build_object('client', shown.client, 'history', (
    select row_to_json(h.*)
    from rules.shown_history h
    where h.client_id = shown.id and h.version >= shown.version
    order by h.version
    limit 1
  ))
  into v_answer
  from rules.shown_clients(array[client_id]) shown;
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

-- LOCK one client against other changes until the transaction ends. Refuses an unknown id with client_not_found.
create or replace function rules.lock_client(client_id bigint)
returns rules.client_state
language plpgsql
volatile
as $$
#variable_conflict use_variable
declare
  v_client rules.client_state := (rules.lock_clients(array[client_id]))[1];
begin
  if v_client.id is null then
    perform rules.refuse('client_not_found', jsonb_build_object('client_id', client_id));
  end if;
  return v_client;
end
$$;

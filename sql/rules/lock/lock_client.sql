-- LOCK: one client, held against other changes until the transaction ends; or client_not_found.
-- Most clients are free, and that way nothing is set up for waiting.
create or replace function rules.lock_client(client_id bigint)
returns rules.client_state
language plpgsql
volatile
as $$
#variable_conflict use_variable
declare
  v_client rules.client_state;
begin
  select (rules.state_of(c.*)).* into v_client
  from public.clients c
  where c.id = lock_client.client_id
  for no key update skip locked;
  if v_client.id is null then
    v_client := (rules.lock_clients(array[lock_client.client_id]))[1];
    if v_client.id is null then
      perform rules.refuse('client_not_found', jsonb_build_object('client_id', client_id));
    end if;
  end if;
  return v_client;
end
$$;

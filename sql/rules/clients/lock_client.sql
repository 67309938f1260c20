-- The client, locked against other changes until the transaction ends, or client_not_found.
create or replace function rules.lock_client(client_id bigint)
returns public.clients
language plpgsql
volatile
as $$
begin
  perform from public.clients c where c.id = client_id for no key update;
  return rules.require_client(client_id);
end
$$;

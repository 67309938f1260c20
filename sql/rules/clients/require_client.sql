-- The client, or client_not_found.
create or replace function rules.require_client(client_id bigint)
returns public.clients
language plpgsql
stable
as $$
declare
  v_client public.clients;
begin
  select * into v_client from public.clients c where c.id = client_id;
  if not found then
    perform rules.refuse('client_not_found', jsonb_build_object('client_id', client_id));
  end if;
  return v_client;
end
$$;

-- Refuse an id without a client, with client_not_found.
create or replace function rules.require_client(client_id bigint)
returns void
language plpgsql
stable
as $$
#variable_conflict use_variable
begin
  if not exists (select from public.clients c where c.id = client_id) then
    perform rules.refuse('client_not_found', jsonb_build_object('client_id', client_id));
  end if;
end
$$;

-- The client that goes by this name, or client_not_found. Of a number nobody knows yet whether there is such a client.
create or replace function rules.client_id_of(
  client   text,
  required boolean default true
)
returns bigint
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_id bigint := coalesce(rules.whole_number(client), (select c.id from public.clients c where c.slug = client));
begin
  if v_id is null and required then
    perform rules.refuse('client_not_found', jsonb_build_object('client_id', left(client, 200)));
  end if;
  return v_id;
end
$$;

-- A client at hand, as every answer shows it.
create or replace function rules.client_json(client public.clients)
returns json
language plpgsql
stable
as $$
begin
  return (select rules.shown_client(client, s) from public.stage_sla s where s.stage = client.stage);
end
$$;

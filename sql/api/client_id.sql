create or replace function api.client_id(client text)
returns bigint
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  v_actor text := rules.current_actor();
begin
  return rules.client_id_of(client);
end
$$;

comment on function api.client_id(text) is
'The id of a client that is named by its slug, for SQL: select api.client(api.client_id(''blue-heron'')).
client: a slug, or an id, which is handed back as it is. What reads as a number is an id. Any actor may ask.
Over HTTP a slug may stand wherever an id does, so nobody needs this there.
Answers the id alone.
Errors: client_not_found (404).';

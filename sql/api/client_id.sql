create or replace function api.client_id(client text)
returns bigint
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
begin
  perform rules.current_actor();
  return rules.client_id_of(client);
end
$$;

comment on function api.client_id(text) is
'Return the id of the client with this slug, for SQL: select api.client(api.client_id(''blue-heron'')).
client: a slug, or an id in ASCII digits, which is returned unchanged. Any actor can read.
Over HTTP the paths take a slug in place of an id; bodies and queries take ids only.
Returns only the id.
Errors: client_not_found (404), slug_ambiguous (409).';

-- WRITE the removal of a client that was created by mistake. The one function that deletes from `clients`; it deletes
-- the client's first history row with it.
set local role atlas_writer;

create or replace function rules.remove_client(client_id bigint)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
begin
  set constraints public.stage_history_client_id_fkey deferred;
  delete from public.clients c where c.id = remove_client.client_id;
  delete from public.stage_history h where h.client_id = remove_client.client_id;
end
$$;

grant execute on function rules.remove_client(bigint) to atlas_owner;
set local role atlas_owner;

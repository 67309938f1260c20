-- WRITE for a client that was made by mistake: the one function that deletes from `clients`, and from history the
-- client's first row.
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

-- WRITE the client of a trial (ops.trial), as write_new_client does, but with its own id: no sequence is used. Returns
-- its state. Its columns are the defaults of `clients`.
set local role atlas_writer;

create or replace function rules.write_trial_client(
  name text,
  slug text
)
returns rules.client_state
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  v_stored public.clients;
begin
  insert into public.clients as c (id, name, slug)
  overriding system value
  values (rules.trial_client(), write_trial_client.name, write_trial_client.slug)
  returning c.* into v_stored;
  return rules.state_of(v_stored);
end
$$;

grant execute on function rules.write_trial_client(text, text) to atlas_owner;
set local role atlas_owner;

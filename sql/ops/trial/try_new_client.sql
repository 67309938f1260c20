-- Create the client of a trial, as api.create_client does.
create or replace function ops.try_new_client(
  context rules.change_context,
  ways    jsonb
)
returns void
language plpgsql
volatile
as $$
#variable_conflict use_variable
declare
  v_client rules.client_state := rules.write_trial_client(ways ->> 'name', ways ->> 'slug');
begin
  perform rules.write_history(array[(context, null, v_client)::rules.change]);
  perform rules.check_deferred_constraints(of_clients_only => true);
end
$$;

-- What a move makes of a client: it enters the stage now and is no longer stuck. A pause remembers the stage that the
-- client came from; switching to the other pause keeps it.
create or replace function rules.state_after_move(
  client   rules.client_state,
  to_stage text
)
returns rules.client_state
language plpgsql
stable
as $$
#variable_conflict use_variable
begin
  client.version := client.version + 1;
  client.returning_to_stage := case
    when exists (select from public.stages s where s.stage = to_stage and s.kind = 'pause')
      then coalesce(client.returning_to_stage, client.stage)
  end;
  client.stage := to_stage;
  client.stage_entered_at := now();
  client.flags := array_remove(client.flags, 'stuck');
  return client;
end
$$;

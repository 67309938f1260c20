-- What a move makes of a client: it enters the stage now, is no longer stuck, and a pause remembers where it came from.
create or replace function rules.moved(
  client   rules.client_state,
  to_stage text
)
returns rules.client_state
language plpgsql
stable
as $$
#variable_conflict use_variable
begin
  -- who is paused already, comes from where the first pause began
  client.returning_to_stage := case
    when (select s.kind from public.stages s where s.stage = to_stage) = 'pause'
      then coalesce(client.returning_to_stage, client.stage)
  end;
  client.stage := to_stage;
  client.stage_entered_at := now();
  client.flags := array_remove(client.flags, 'stuck');
  return client;
end
$$;

-- What taking a history row back makes of a client: a move gives back the stage with its time, a flag row the flag.
create or replace function rules.rolled_back(
  client rules.client_state,
  row_   public.stage_history
)
returns rules.client_state
language plpgsql
immutable
as $$
#variable_conflict use_variable
begin
  if row_.to_stage is not null then
    client.stage := row_.from_stage;
    client.stage_entered_at := row_.from_entered_at;
    client.returning_to_stage := row_.from_returning_to;
    -- `stuck` belongs to the stage it was set in
    client.flags := array_remove(client.flags, 'stuck');
  end if;
  client.flags := array_remove(client.flags, row_.flag_added);
  if row_.flag_removed is not null then
    client := rules.flagged(client, row_.flag_removed, true);
  end if;
  return client;
end
$$;

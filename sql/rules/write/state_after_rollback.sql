-- The client after a history row is rolled back: the row of a move restores the stage with its time, the row of a flag
-- restores the flag.
create or replace function rules.state_after_rollback(
  client rules.client_state,
  undone public.stage_history
)
returns rules.client_state
language plpgsql
immutable
as $$
#variable_conflict use_variable
begin
  client.version := client.version + 1;
  if undone.to_stage is not null then
    client.stage := undone.from_stage;
    client.stage_entered_at := undone.from_entered_at;
    client.returning_to_stage := undone.from_returning_to;
    -- `stuck` belongs to the stage that the client leaves
    client.flags := array_remove(client.flags, 'stuck');
  end if;
  client.flags := array_remove(client.flags, undone.flag_added);
  if undone.flag_removed is not null then
    client.flags := rules.sorted_set(client.flags || undone.flag_removed);
  end if;
  return client;
end
$$;

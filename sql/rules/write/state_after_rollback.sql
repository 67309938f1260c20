-- The client after a history row is rolled back: the row of a move restores the stage with its time and its close, the
-- row of a flag restores the flag, and the row of fields restores these fields.
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
    client.close_period := case
      when rules.in_close(undone.from_stage, undone.from_returning_to) then undone.close_period
    end;
    -- `stuck` belongs to the stage that the client leaves
    client.flags := array_remove(client.flags, 'stuck');
  end if;
  client.flags := array_remove(client.flags, undone.flag_added);
  if undone.flag_removed is not null then
    client.flags := rules.sorted_set(client.flags || undone.flag_removed);
  end if;
  client.fields := jsonb_populate_record(client.fields, (
    select jsonb_object_agg(f.key, f.value -> 'from') from jsonb_each(rules.changed_fields(undone)) f
  ));
  return client;
end
$$;

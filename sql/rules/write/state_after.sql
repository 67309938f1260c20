-- The client after a change; null if it changes nothing. A move enters the stage now and removes `stuck`. A pause
-- remembers the stage that the client came from, and switching to the other pause keeps it. A pause stops the clock of
-- that stage: a resume continues it. A move into a close takes its month, and every move inside keeps it.
create or replace function rules.state_after(
  client       rules.client_state,
  action       text,                               -- move, set, clear or update
  word         text,                               -- the stage or the flag
  fields       rules.client_fields default null,
  clear        text[] default null,
  close_period text default null                   -- of a close that the move opens; null: the default
)
returns rules.client_state
language plpgsql
stable
as $$
#variable_conflict use_variable
begin
  if action = 'move' then
    client.stage_entered_at := now();
    if client.returning_to_stage = word then
      client.stage_entered_at := now() - coalesce(rules.time_before_pause(client.id), interval '0');
    end if;
    client.returning_to_stage := case
      when exists (select from public.stages s where s.stage = word and s.kind = 'pause')
        then coalesce(client.returning_to_stage, client.stage)
    end;
    client.stage := word;
    if not rules.in_close(word, client.returning_to_stage) then
      client.close_period := null;
    elsif client.close_period is null then
      client.close_period := coalesce(close_period, rules.close_period_for(client));
    end if;
    client.flags := array_remove(client.flags, 'stuck');
  elsif action = 'update' then
    fields := rules.fields_after(client.fields, fields, clear);
    if fields is not distinct from client.fields then
      return null;
    end if;
    client.fields := fields;
  elsif (action = 'set') = (word = any (client.flags)) then
    return null;
  elsif action = 'set' then
    client.flags := rules.sorted_set(client.flags || word);
  else
    client.flags := array_remove(client.flags, word);
  end if;
  client.version := client.version + 1;
  return client;
end
$$;

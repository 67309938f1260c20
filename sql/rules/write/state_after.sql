-- The client after a change; null if it changes nothing. A move enters the stage now and removes `stuck`. A pause
-- remembers the stage that the client came from, and switching to the other pause keeps it.
create or replace function rules.state_after(
  client rules.client_state,
  action text,                               -- move, set, clear or update
  word   text,                               -- the stage or the flag
  fields rules.client_fields default null,
  clear  text[] default null
)
returns rules.client_state
language plpgsql
stable
as $$
#variable_conflict use_variable
begin
  if action = 'move' then
    client.returning_to_stage := case
      when exists (select from public.stages s where s.stage = word and s.kind = 'pause')
        then coalesce(client.returning_to_stage, client.stage)
    end;
    client.stage := word;
    client.stage_entered_at := now();
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

-- What an item makes of its client; null if it changes nothing.
create or replace function rules.state_after(item rules.item)
returns rules.client_state
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_client rules.client_state := item.before;
begin
  case item.action
    when 'move' then
      return rules.state_after_move(v_client, item.word);
    when 'set' then
      v_client.flags := rules.sorted_set(v_client.flags || item.word);
    when 'clear' then
      v_client.flags := array_remove(v_client.flags, item.word);
    when 'update' then
      v_client.fields := rules.fields_after(v_client.fields, item.fields, item.clear);
  end case;
  if v_client is not distinct from item.before then
    return null;
  end if;
  v_client.version := v_client.version + 1;
  return v_client;
end
$$;

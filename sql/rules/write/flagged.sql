-- What setting or clearing a flag makes of a client.
create or replace function rules.flagged(
  client  rules.client_state,
  flag    text,
  setting boolean
)
returns rules.client_state
language plpgsql
immutable
as $$
#variable_conflict use_variable
begin
  client.flags := case
    when setting then rules.sorted_set(client.flags || flag)
    else array_remove(client.flags, flag)
  end;
  return client;
end
$$;

-- What a write answers: the client as it is now, the history row of the change (null when nothing changed).
create or replace function rules.change_answer(
  client  public.clients,
  changed boolean
)
returns jsonb
language plpgsql
stable
as $$
begin
  return rules.change_json(
    rules.client_json(client),
    case when changed then rules.newest_history(client.id, client.version) end
  );
end
$$;

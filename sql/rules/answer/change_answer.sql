-- What a write answers: the client as it is now, and the history row of the change (null when nothing changed).
create or replace function rules.change_answer(
  client_id bigint,
  changed   boolean
)
returns json
language plpgsql
stable
as $$
#variable_conflict use_variable
begin
  return (
    select json_build_object(
      'client', shown.client,
      'history', case when changed then row_to_json(h.*) end,
      'changed', changed,
      'replayed', false
    )
    from rules.shown_clients(array[client_id]) shown
    left join rules.shown_history h on h.client_id = shown.id and h.version = shown.version
  );
end
$$;

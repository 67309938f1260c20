-- ANSWER: the answer of a write of one client that was not made as an item.
create or replace function rules.change_answer(client_id bigint)
returns json
language plpgsql
stable
as $$
#variable_conflict use_variable
begin
  return (
    select json_build_object(
      'client', shown.client,
      'history', (  -- in order: see rules.answer_items
        select row_to_json(h.*)
        from rules.shown_history h
        where h.client_id = shown.id and h.version >= shown.version
        order by h.version
        limit 1
      ),
      'changed', true, 'replayed', false
    )
    from rules.shown_clients(array[client_id]) shown
  );
end
$$;

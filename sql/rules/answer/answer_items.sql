-- ANSWER: what each item that was not refused returns: the client as it is now, and the history row of the change (null if
-- nothing changed). Answers under an idempotency key are kept.
create or replace function rules.answer_items(items rules.item[])
returns rules.item[]
language plpgsql
volatile
as $$
#variable_conflict use_variable
declare
  v_shown record;
begin
  for v_shown in
    select
      i.nth::integer as nth,
      json_build_object(
        'client', shown.client,
        'history', case when i.is_changed then row_to_json(h.*) end,
        'changed', i.is_changed,
        'replayed', false
      ) as answer
    from (
      select i.client_id, (i.after).id is not null as is_changed, i.nth
      from unnest(items) with ordinality as i (
        place, client_id, action, word, fields, clear, expected_version, context, before, after, is_locked, is_evaluated,
        violations, answer, nth
      )
      where i.violations is null
        and i.answer is null
    ) as i
    join rules.shown_clients(array(select i.client_id from unnest(items) i)) shown on shown.id = i.client_id
    left join rules.shown_history h on h.client_id = shown.id and h.version = shown.version and i.is_changed
  loop
    items[v_shown.nth].answer := rules.remember_answer(items[v_shown.nth].context, v_shown.answer);
  end loop;
  return items;
end
$$;

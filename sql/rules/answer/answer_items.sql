-- ANSWER: what each item that was not refused returns: the client as it is now, and the history row of the change (null
-- if nothing changed). Answers under an idempotency key are kept.
create or replace function rules.answer_items(
  items  rules.item[],
  raises boolean default false   -- of a call that changes one client: raise the violations, answer without an index
)
returns rules.item[]
language plpgsql
volatile
as $$
#variable_conflict use_variable
declare
  v_shown record;
begin
  if raises and items[1].violations is not null then
    perform rules.refuse_all(items[1].violations, jsonb_build_object('client_id', items[1].client_id));
  end if;
  for v_shown in
    select
      i.ordinality::integer as nth,
      i.has_key,
      case
        when raises then json_build_object(
          'client', shown.client, 'history', written.history, 'changed', i.is_changed, 'replayed', false
        )
        else json_build_object(
          'index', i.place, 'status', 200,
          'client', shown.client, 'history', written.history, 'changed', i.is_changed, 'replayed', false
        )
      end as answer
    from (
      select
        i.client_id, i.place, (i.after).id is not null as is_changed, (i.context).external_id is not null as has_key,
        i.ordinality
      from unnest(items) with ordinality as i
      where i.violations is null
        and i.answer is null
    ) as i
    cross join lateral rules.shown_clients(array[i.client_id]) shown
    -- In order, because to look for the version alone the planner may take the index on client_id alone, and read a
    -- whole history.
    cross join lateral (
      select case when i.is_changed then (
        select row_to_json(h.*)
        from rules.shown_history h
        where h.client_id = shown.id and h.version >= shown.version
        order by h.version
        limit 1
      ) end as history
    ) as written
  loop
    items[v_shown.nth].answer := v_shown.answer;
    if v_shown.has_key then
      perform rules.remember_answer(items[v_shown.nth].context, v_shown.answer);
    end if;
  end loop;
  return items;
end
$$;

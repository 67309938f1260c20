-- OPEN: look up the idempotency keys of items, in the order of the keys, so that two batches never
-- deadlock. An item that was answered before has its answer; an item whose key was used for another request is refused.
-- The version that the caller read isn't part of the key: a retry may have read a newer one.
create or replace function rules.earlier_answers(items rules.item[])
returns rules.item[]
language plpgsql
volatile
as $$
#variable_conflict use_variable
declare
  v_key     record;
  v_item    rules.item;
  v_earlier record;
begin
  for v_key in
    select i.ordinality::integer as nth
    from unnest(items) with ordinality as i
    where (i.context).external_id is not null
      and i.violations is null
    order by (i.context).external_id, i.ordinality
  loop
    v_item := items[v_key.nth];
    select * into v_earlier from rules.earlier_answer(v_item.context, jsonb_build_object(
      'call', v_item.action, 'client_id', v_item.client_id, 'word', v_item.word,
      'fields', to_jsonb(v_item.fields), 'clear', v_item.clear
    ) || jsonb_strip_nulls(jsonb_build_object('close_period', v_item.close_period)));
    items[v_key.nth].answer := v_earlier.answer;
    if v_earlier.violations is not null then
      items[v_key.nth].violations := v_earlier.violations;
      items[v_key.nth].is_evaluated := null;
    end if;
  end loop;
  return items;
end
$$;

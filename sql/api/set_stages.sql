create or replace function api.set_stages(
  items  jsonb,
  atomic boolean default false
)
returns api."application/json"
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
-- The length of an array is known only at run time, and planning for it would cost more than one change.
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_variable
declare
  v_context rules.change_context;
  v_items   rules.item[];
  v_earlier record;
begin
  -- OPEN
  v_context := rules.open_context(rules.current_actor(), null);
  if (jsonb_typeof(items) = 'array' and jsonb_array_length(items) between 1 and 1000) is not true then
    perform rules.refuse('items_not_valid');
  end if;
  v_items := array(
    select rules.read_item(i.place - 1, i.item, v_context.actor_id, array[
      'client_id', 'to_stage', 'reason', 'expected_version', 'triggered_by', 'on_behalf_of', 'channel', 'external_id',
      'payload', 'override'
    ])
    from jsonb_array_elements(items) with ordinality as i (item, place)
    order by i.place
  );
  if v_context.external_id is not null then
    select * into v_earlier from rules.earlier_answer(
      v_context,
      jsonb_build_object(
        'call', 'set_stages', 'items', to_jsonb(v_items), 'atomic', atomic, 'client_ids', rules.item_clients(items)
      )
    );
    perform rules.refuse_all(v_earlier.violations);
    if v_earlier.answer is not null then
      return v_earlier.answer;
    end if;
  end if;

  -- LOCK, EVALUATE, WRITE and ANSWER
  v_items := rules.make_items(v_items);
  if atomic then
    perform rules.refuse_batch(v_items);
  end if;
  return rules.remember_answer(v_context, rules.batch_answer(v_items));
end
$$;

comment on function api.set_stages(jsonb, boolean) is
'Move many clients in one call.
items: an array of 1 to 1,000 objects, each with the arguments of set_stage. atomic: whether one refusal refuses all.
Each item is judged by itself; a client named twice is moved twice, in the order of the items.
Answers {items, done, refused}: for each item its index and status with {client, history, changed, replayed}, or with the
{code, message, details, hint} that it would have had alone. An atomic call that is refused is the first refused item''s error, with all refused items in details.
Errors: idempotency_key_reused, answer_erased (409); items_not_valid (422); atomic: those of set_stage.';

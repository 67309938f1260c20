create or replace function api.set_flags(items jsonb)
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
      'client_id', 'flag', 'set', 'reason', 'triggered_by', 'on_behalf_of', 'channel', 'payload'
    ])
    from jsonb_array_elements(items) with ordinality as i (item, place)
    order by i.place
  );
  if v_context.external_id is not null then
    select * into v_earlier from rules.earlier_answer(
      v_context,
      jsonb_build_object('call', 'set_flags', 'items', to_jsonb(v_items), 'client_ids', rules.item_clients(items))
    );
    perform rules.refuse_all(v_earlier.violations);
    if v_earlier.answer is not null then
      return v_earlier.answer;
    end if;
  end if;

  -- LOCK, EVALUATE, WRITE and ANSWER
  v_items := rules.make_items(v_items);
  return rules.remember_answer(v_context, rules.batch_answer(v_items));
end
$$;

comment on function api.set_flags(jsonb) is
'Set or clear a flag on many clients in one call.
items: an array of 1 to 1,000 objects with client_id, flag, set (true: set, false: clear) and reason, triggered_by, on_behalf_of, channel,
payload as in set_flag. Each item is judged by itself, in the order of the items.
Answers {items, done, refused}: for each item its index and status with {client, history, changed, replayed}, or with the
{code, message, details, hint} that it would have had alone.
Errors: idempotency_key_reused, answer_erased (409), items_not_valid (422), client_locked (503).';

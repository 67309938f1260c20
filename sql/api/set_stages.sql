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
  v_items := rules.read_items(items, v_context.actor_id, array[
    'client_id', 'to_stage', 'reason', 'expected_version', 'triggered_by', 'on_behalf_of', 'channel', 'external_id',
    'payload', 'override'
  ]);
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
items: 1 to 1,000 objects, each with the arguments of set_stage. atomic: one refusal refuses all items.
Each item is judged alone. A client that occurs twice is moved twice, in the order of the items.
Returns {items, done, refused}. An item has its index and status, and {client, history, changed, replayed} or the
{code, message, details, hint} of a single call. A refused atomic call is the error of the first refused item, with all refused
items in details.
Errors: items_not_valid (422); idempotency_key_reused, answer_erased (409); key_in_use, client_locked (503). Of an item, and of an atomic call:
item_not_valid (422) and those of set_stage.';

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
begin
  return rules.change_many('set_stages', items, array[
    'client_id', 'to_stage', 'reason', 'expected_version', 'triggered_by', 'on_behalf_of', 'channel', 'external_id',
    'payload', 'override', 'close_period'
  ], coalesce(atomic, false));
end
$$;

comment on function api.set_stages(jsonb, boolean) is
'Move many clients in one call.
items: 1 to 1,000 objects, each with the arguments of set_stage. atomic: one refusal refuses all items.
Each item is judged alone. A client that occurs twice is moved twice, in the order of the items.
Returns {items, done, refused, batch}; undo_batch takes the batch (null: nothing was changed). An item has its index and status, and {client, history, changed, replayed} or the
{code, message, details, hint} of a single call. A refused atomic call is the error of the first refused item, with all refused
items in details.
Errors: items_not_valid (422); idempotency_key_reused, answer_erased (409); key_in_use, client_locked, retry (503). Of an item, and of an atomic call:
item_not_valid (422) and those of set_stage.';

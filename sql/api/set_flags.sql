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
begin
  return rules.change_many('set_flags', items, array[
    'client_id', 'flag', 'set', 'reason', 'triggered_by', 'on_behalf_of', 'channel', 'payload'
  ]);
end
$$;

comment on function api.set_flags(jsonb) is
'Set or clear flags of many clients in one call.
items: 1 to 1,000 objects with client_id, flag, set (true: set, false: clear) and reason, triggered_by, on_behalf_of, channel,
payload as in set_flag. Each item is judged alone, in the order of the items.
Returns {items, done, refused, batch}, as set_stages does.
Errors: items_not_valid (422); idempotency_key_reused, answer_erased (409); key_in_use, client_locked, retry (503). Of an item: item_not_valid (422) and
those of set_flag.';

create or replace function api.update_clients(items jsonb)
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
  return rules.change_many('update_clients', items, array[
    'client_id', 'expected_version', 'clear', 'reason', 'triggered_by', 'on_behalf_of', 'channel', 'payload'
  ] || array(select c.argument from rules.field_catalog() c));
end
$$;

comment on function api.update_clients(jsonb) is
'Change the fields of many clients in one call.
items: 1 to 1,000 objects with client_id and the arguments of update_client, besides external_id. Each item is judged alone, in the order of the items.
Returns {items, done, refused, batch}, as set_stages does.
Errors: items_not_valid (422); idempotency_key_reused, answer_erased (409); key_in_use, client_locked, retry (503). Of an item: item_not_valid (422) and
those of update_client.';

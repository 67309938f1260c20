create or replace function api.set_flags(items jsonb)
returns api."application/json"
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  v_actor    constant text := rules.current_actor();
  v_key      constant text := rules.idempotency_key(null);
  v_context  rules.change_context;
  v_answer   json;
  v_outcomes jsonb := jsonb '[]';
  v_outcome  jsonb;
  v_refused  integer := 0;
begin
  -- OPEN
  if (
    jsonb_typeof(items) = 'array'
    and jsonb_array_length(items) between 1 and 1000
    -- with a key, the items are written out as what the key stands for
    and (v_key is null or rules.is_small_json(items, 70000000))
  ) is not true then
    perform rules.refuse('items_not_valid');
  end if;
  v_context := rules.open_change(v_actor, null, external_id => v_key);
  v_answer := rules.earlier_answer(v_context, jsonb_build_object('call', 'set_flags', 'items', items));
  if v_answer is not null then
    return v_answer;
  end if;

  -- LOCK: all of them in one order, so that two calls wait for each other and never in a ring
  perform rules.lock_clients(array(
    select case
      when jsonb_typeof(i.item -> 'client_id') = 'number'
        and (i.item -> 'client_id')::numeric between -9223372036854775808 and 9223372036854775807
        then (i.item -> 'client_id')::bigint
    end
    from jsonb_array_elements(items) as i (item)
  ));

  -- EVALUATE and WRITE, item by item: each is judged by itself
  for i in 0 .. jsonb_array_length(items) - 1 loop
    v_outcome := rules.flag_outcome(v_actor, items -> i);
    v_refused := v_refused + (v_outcome ? 'code')::integer;
    v_outcomes := v_outcomes || (jsonb_build_object('index', i) || v_outcome);
  end loop;

  -- ANSWER
  return rules.remember_answer(v_context, json_build_object(
    'items', v_outcomes, 'done', jsonb_array_length(items) - v_refused, 'refused', v_refused
  ));
end
$$;

comment on function api.set_flags(jsonb) is
'Set or clear a flag on many clients in one call.
items: an array of 1 to 1,000 objects with client_id, flag, set (true: set, false: clear) and reason, triggered_by, on_behalf_of, channel,
payload as in set_flag. Each item is judged by itself, in the order of the items.
Answers {items, done, refused}: for each item its index and status with {client, history, changed, replayed}, or with the
{code, message, details, hint} that it would have had alone.
Errors: items_not_valid (422), client_locked (503).';

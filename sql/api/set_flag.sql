create or replace function api.set_flag(
  client_id    bigint,
  flag         text,
  reason       text default null,
  triggered_by text default null,
  on_behalf_of text default null,
  channel      text default null,
  external_id  text default null,
  payload      jsonb default null
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
begin
  -- OPEN
  v_context := rules.open_context(
    rules.current_actor(), reason, triggered_by, on_behalf_of, channel, external_id, payload
  );
  v_items := array[rules.open_item('set', client_id, flag, v_context)];
  if v_context.external_id is not null then
    v_items := rules.earlier_answers(v_items);
  end if;

  -- LOCK
  v_items := rules.lock_items(v_items);

  -- EVALUATE: an actor without permission is refused also where nothing would change
  v_items := rules.evaluate(v_items);

  -- WRITE
  v_items := rules.write_items(v_items);

  -- ANSWER
  v_items := rules.answer_items(v_items, raises => true);
  return v_items[1].answer;
end
$$;

comment on function api.set_flag(bigint, text, text, text, text, text, text, jsonb) is
'Set a flag on a client.
client_id: the client. flag: one of stage_flags. reason, triggered_by, on_behalf_of, channel, external_id, payload: as in set_stage; none is required.
Returns {client, history, changed, replayed}. If the flag was set already, changed is false and history null.
Errors: permission_missing, flag_reserved (403); client_not_found (404); idempotency_key_reused, answer_erased, host_constraint,
host_trigger_failed (409); unknown_flag, text_too_long, text_not_clean, unknown_channel, payload_not_valid (422); client_locked,
key_in_use, retry (503).';

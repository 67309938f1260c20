create or replace function api.set_stage(
  client_id        bigint,
  to_stage         text,
  reason           text,
  expected_version bigint,
  triggered_by     text default null,
  on_behalf_of     text default null,
  channel          text default null,
  external_id      text default null,
  payload          jsonb default null,
  override         boolean default false,
  close_period     text default null
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
    rules.current_actor(), reason, triggered_by, on_behalf_of, channel, external_id, payload, override,
    reason_required => true
  );
  v_items := array[rules.open_item(
    'move', client_id, to_stage, v_context, expected_version, close_period => close_period
  )];
  if v_context.external_id is not null then
    v_items := rules.earlier_answers(v_items);
  end if;

  -- LOCK
  v_items := rules.lock_items(v_items);

  -- EVALUATE
  v_items := rules.evaluate(v_items);

  -- WRITE
  v_items := rules.write_items(v_items);

  -- ANSWER
  v_items := rules.answer_items(v_items, raises => true);
  return v_items[1].answer;
end
$$;

comment on function api.set_stage(bigint, text, text, bigint, text, text, text, text, jsonb, boolean, text) is
'Move a client to another stage.
client_id: the client. to_stage: one of stages. reason: why, at most 2,000 characters.
expected_version: the version of the client that the caller has read. triggered_by: the event that caused the move.
on_behalf_of: the person the call is made for. If a can_act_for grant of the caller covers that person, their grants decide, within the
scope of that grant; otherwise it is only recorded. channel: api (default), slack, nlp_relay or event_webhook.
external_id: the idempotency key, as the Idempotency-Key header; the same key with the same request returns the first answer.
payload: a JSON object of at most 64 KiB, kept with the history row. override: an admin''s move past the transitions.
close_period: the month of the close that the move opens, YYYY-MM. Default: the newest month that was rolled and that the client owes or
has; if there is none, the next one.
Returns {client, history, changed, replayed}.
Errors: permission_missing, not_eligible_reviewer, reviewer_moved_it_in, override_needs_admin (403); client_not_found (404);
version_conflict, idempotency_key_reused, answer_erased, host_constraint, host_trigger_failed (409); transition_not_allowed, unknown_stage,
client_inactive, reason_required, expected_version_required, text_too_long, text_not_clean, unknown_channel, payload_not_valid,
period_not_valid, period_not_expected (422); client_locked, key_in_use, retry (503).';

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
  override         boolean default false
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
  v_items := array[rules.open_item('move', client_id, to_stage, v_context, expected_version)];
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

comment on function api.set_stage(bigint, text, text, bigint, text, text, text, text, jsonb, boolean) is
'Move a client to another stage.
client_id: the client. to_stage: onboarding, cleanup, weekly, eom_close, eom_review, paused_client, paused_internal or offboarding.
reason: why, at most 2,000 characters. expected_version: the client''s version as it was read.
triggered_by: the event behind it. on_behalf_of: recorded, gives no right. channel: api (default), slack, nlp_relay, event_webhook.
external_id: makes the call repeatable; so does the Idempotency-Key header. payload: a JSON object kept with the history row.
override: an admin''s move past the transitions.
Answers {client, history, changed, replayed}.
Errors: permission_missing, not_eligible_reviewer, reviewer_moved_it_in, override_needs_admin (403); client_not_found (404);
version_conflict, idempotency_key_reused, answer_erased (409); transition_not_allowed, unknown_stage, client_inactive, reason_required,
expected_version_required, text_too_long, text_not_clean, unknown_channel, payload_not_valid (422).';

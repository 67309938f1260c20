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
as $$
declare
  v_actor   text := rules.current_actor();
  v_key     text := rules.idempotency_key(external_id);
  v_request jsonb;
  v_change  jsonb;
  v_client  public.clients;
  v_answer  json;
  v_begun   boolean;
begin
  -- GUARD
  if v_key is not null then
    v_request := rules.move_key_request(
      v_actor, client_id, to_stage, reason, expected_version, triggered_by, on_behalf_of, channel, payload, override
    );
    v_answer := rules.replayed_answer(v_key, v_request);
    if v_answer is not null then
      return v_answer;
    end if;
  end if;
  v_change := rules.change_request(
    v_actor, reason, triggered_by, on_behalf_of, channel, v_key, payload, override, reason_required => true
  );
  if expected_version is null then
    perform rules.refuse('expected_version_required');
  end if;

  -- ACT: the triggers judge and record
  v_begun := rules.begin_change('move', v_change);
  update public.clients c
  set stage = set_stage.to_stage
  from public.stage_sla s
  where c.id = set_stage.client_id
    and c.version = set_stage.expected_version
    and c.stage <> set_stage.to_stage
    and s.stage = set_stage.to_stage;
  if not found then
    select * into v_client from public.clients c where c.id = set_stage.client_id;
    perform rules.refuse_all(
      rules.move_refusals(v_actor, v_client, client_id, to_stage, expected_version, override),
      jsonb_build_object('client_id', client_id)
    );
  end if;

  v_answer := rules.change_answer(client_id, true);
  if v_key is not null then
    return rules.remember_answer(v_key, v_request, v_answer::jsonb);
  end if;
  return v_answer;
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
version_conflict, idempotency_key_reused (409); transition_not_allowed, unknown_stage, client_inactive, reason_required,
expected_version_required, text_too_long, text_not_clean, unknown_channel, payload_not_valid (422).';

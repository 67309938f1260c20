-- OPEN: turn what a caller passed into the context of a change. Texts are checked, and only the channels that callers
-- may use are accepted. The idempotency key of a call is `external_id` or the Idempotency-Key header.
create or replace function rules.open_context(
  actor_id        text,
  reason          text,
  triggered_by    text default null,
  on_behalf_of    text default null,
  channel         text default null,
  external_id     text default null,
  payload         jsonb default null,
  override        boolean default false,
  reason_required boolean default false,
  of_item         boolean default false   -- of one item of a batch: the header is the batch's key
)
returns rules.change_context
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_context  rules.change_context;
  v_channels constant text[] := array['api', 'slack', 'nlp_relay', 'event_webhook'];
  v_headers  text;
begin
  v_context.actor_id := actor_id;
  v_context.channel := coalesce(channel, 'api');
  if external_id is not null then
    v_context.external_id := rules.checked_text('external_id', external_id, 200);
  elsif not of_item then
    v_headers := current_setting('request.headers', true);
    -- the gateway sends an empty one for a request without
    if v_headers like '%"idempotency-key"%' and v_headers not like '%"idempotency-key":""%' then
      v_context.external_id := rules.checked_text('Idempotency-Key', rules.request_header('idempotency-key'), 200);
    end if;
  end if;
  v_context.override := coalesce(override, false);
  v_context.reason := rules.checked_text('reason', reason, 2000, lines => true);
  if v_context.reason is null and (reason_required or v_context.override) then
    perform rules.refuse('reason_required');
  end if;
  if channel <> all (v_channels) then
    perform rules.refuse('unknown_channel', jsonb_build_object('channel', left(channel, 200), 'known', v_channels));
  end if;
  if triggered_by is not null then
    v_context.triggered_by := rules.checked_text('triggered_by', triggered_by, 200);
  end if;
  if on_behalf_of is not null then
    v_context.on_behalf_of := rules.checked_text('on_behalf_of', on_behalf_of, 200);
  end if;
  if payload is not null then
    if jsonb_typeof(payload) <> 'object' or not rules.is_small_json(payload, 65536) then
      perform rules.refuse('payload_not_valid');
    end if;
    -- only the database writes these keys
    v_context.payload := payload - '{changed,rolls_back,initial,acts_for,hand_over,gives_back}'::text[];
  end if;
  return v_context;
end
$$;

-- The context of one change as JSON, from what a caller said: its texts checked, its channel a caller's own.
create or replace function rules.change_request(
  actor_id        text,
  reason          text,
  triggered_by    text default null,
  on_behalf_of    text default null,
  channel         text default null,
  external_id     text default null,
  payload         jsonb default null,
  override        boolean default false,
  reason_required boolean default false
)
returns jsonb
language plpgsql
stable
as $$
declare
  v_reason text := rules.checked_text('reason', reason, 2000, lines => true);
begin
  if channel not in ('api', 'slack', 'nlp_relay', 'event_webhook') then
    perform rules.refuse('unknown_channel', jsonb_build_object(
      'channel', left(channel, 200),
      'known', jsonb_build_array('api', 'slack', 'nlp_relay', 'event_webhook')
    ));
  end if;
  if jsonb_typeof(payload) <> 'object' or octet_length(payload::text) > 65536 then
    perform rules.refuse('payload_not_valid');
  end if;
  if (reason_required or override) and v_reason is null then
    perform rules.refuse('reason_required');
  end if;

  return jsonb_build_object(
    'actor_id', actor_id,
    'reason', v_reason,
    'triggered_by', rules.checked_text('triggered_by', triggered_by, 200),
    'on_behalf_of', rules.checked_text('on_behalf_of', on_behalf_of, 200),
    'channel', coalesce(channel, 'api'),
    'external_id', external_id,
    'payload', payload - '{changed,rolls_back,initial}'::text[],
    'override', coalesce(override, false),
    'one_client', true
  );
end
$$;

-- What a key of a move stands for: the same move asked for alone or as an item of a batch is one request.
create or replace function rules.move_key_request(
  actor_id         text,
  client_id        bigint,
  to_stage         text,
  reason           text,
  expected_version bigint,
  triggered_by     text,
  on_behalf_of     text,
  channel          text,
  payload          jsonb,
  override         boolean
)
returns jsonb
language sql
immutable
return jsonb_build_object(
  'call', 'set_stage', 'actor_id', actor_id, 'client_id', client_id, 'to_stage', to_stage, 'reason', reason,
  'expected_version', expected_version, 'triggered_by', triggered_by, 'on_behalf_of', on_behalf_of,
  'channel', channel, 'payload', payload, 'override', coalesce(override, false)
);

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
as $$
#variable_conflict use_variable
begin
  return rules.change_flag(
    true, client_id, flag, reason, triggered_by, on_behalf_of, channel, external_id, payload
  );
end
$$;

comment on function api.set_flag(bigint, text, text, text, text, text, text, jsonb) is
'Set a flag on a client.
client_id: the client. flag: one of stage_flags. reason, triggered_by, on_behalf_of, channel, external_id, payload: as in set_stage; none is required.
Answers {client, history, changed, replayed}; where there was nothing to set, changed is false and history null.
Errors: permission_missing, flag_reserved (403); client_not_found (404); idempotency_key_reused (409);
unknown_flag, text_too_long, text_not_clean, unknown_channel, payload_not_valid (422).';

-- OPEN: the context of one change, from what a caller said: its texts checked, its channel a caller's own.
create or replace function rules.open_change(
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
returns rules.change_context
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_context rules.change_context;
begin
  v_context.actor_id := actor_id;
  v_context.channel := coalesce(channel, 'api');
  v_context.reason := rules.checked_text('reason', reason, 2000, lines => true, required => false);
  v_context.external_id := external_id;
  v_context.override := coalesce(override, false);
  if v_context.channel not in ('api', 'slack', 'nlp_relay', 'event_webhook') then
    perform rules.refuse('unknown_channel', jsonb_build_object(
      'channel', left(channel, 200),
      'known', jsonb_build_array('api', 'slack', 'nlp_relay', 'event_webhook')
    ));
  end if;
  if v_context.reason is null and (reason_required or v_context.override) then
    perform rules.refuse('reason_required');
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
    -- these words of a history row are the system's own
    v_context.payload := payload - '{changed,rolls_back,initial}'::text[];
  end if;
  return v_context;
end
$$;

create or replace function api.update_client(
  client_id        bigint,
  reason           text default null,
  expected_version bigint default null,
  owner            text default null,
  collaborators    text[] default null,
  notes            text default null,
  tier             text default null,
  cadence          text default null,
  schedule         text default null,
  reviewers        text[] default null,
  active           boolean default null,
  clear            text[] default '{}',
  triggered_by     text default null,
  on_behalf_of     text default null,
  channel          text default null,
  external_id      text default null,
  payload          jsonb default null
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
  v_fields  rules.client_fields;
  v_items   rules.item[];
begin
  -- OPEN
  v_context := rules.open_context(
    rules.current_actor(), reason, triggered_by, on_behalf_of, channel, external_id, payload
  );
  v_fields := rules.checked_fields(
    row(owner, collaborators, notes, tier, cadence, schedule, reviewers, active), clear
  );
  v_items := array[rules.open_item('update', client_id, null, v_context, expected_version, v_fields, clear)];
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

comment on function api.update_client(
  bigint, text, bigint, text, text[], text, text, text, text, text[], boolean, text[], text, text, text, text, jsonb
) is
'Change the fields of a client besides its stage and flags.
client_id: the client. An omitted field is kept. expected_version: refuse if the client has changed since.
owner, collaborators, notes need can_set_stage; tier, cadence, schedule, reviewers, active need can_admin.
clear: fields to empty: owner, collaborators, notes, reviewers. reason, triggered_by, on_behalf_of, channel, external_id, payload: as in set_stage; none is required.
Returns {client, history, changed, replayed}. If no field changes, changed is false and history null.
Errors: permission_missing (403); client_not_found (404); version_conflict, idempotency_key_reused, answer_erased, host_constraint,
host_trigger_failed (409); unknown_value, text_too_long, text_not_clean, actor_id_not_valid, actor_id_not_normal, unknown_channel, payload_not_valid
(422); client_locked, key_in_use, retry (503).';

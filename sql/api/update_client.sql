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
as $$
#variable_conflict use_variable
declare
  v_actor    constant text := rules.current_actor();
  v_key      constant text := rules.idempotency_key(external_id);
  v_clear    constant text[] := coalesce(clear, '{}');
  v_context  rules.change_context;
  v_before   rules.client_state;
  v_after    rules.client_state;
  v_answer   json;
  v_changes  boolean;
begin
  -- OPEN
  v_context := rules.open_change(v_actor, reason, triggered_by, on_behalf_of, channel, v_key, payload);
  if not v_clear <@ array['owner', 'collaborators', 'notes', 'reviewers'] then
    perform rules.refuse('unknown_value', jsonb_build_object(
      'field', 'clear', 'known', array['owner', 'collaborators', 'notes', 'reviewers']
    ));
  end if;
  v_answer := rules.earlier_answer(
    v_context,
    jsonb_build_object(
      'call', 'update_client', 'client_id', client_id, 'expected_version', expected_version, 'owner', owner,
      'collaborators', collaborators, 'notes', left(notes, 20000), 'tier', tier, 'cadence', cadence, 'schedule', schedule,
      'reviewers', reviewers, 'active', active, 'clear', v_clear
    )
  );
  if v_answer is not null then
    return v_answer;
  end if;

  -- LOCK
  v_before := rules.lock_client(client_id);
  if v_before.version <> expected_version then
    perform rules.refuse_all(array[rules.version_conflict(v_before, expected_version)]);
  end if;

  -- EVALUATE
  v_after := v_before;
  v_after.stage_owner := case when 'owner' = any (v_clear) then null else coalesce(owner, v_before.stage_owner) end;
  v_after.stage_collaborators := case
    when 'collaborators' = any (v_clear) then '{}'
    else coalesce(rules.checked_actor_list(collaborators), v_before.stage_collaborators)
  end;
  v_after.stage_notes := case
    when 'notes' = any (v_clear) then null
    else coalesce(rules.checked_text('notes', notes, 10000, lines => true), v_before.stage_notes)
  end;
  v_after.service_tier := coalesce(tier, v_before.service_tier);
  v_after.close_cadence := coalesce(cadence, v_before.close_cadence);
  v_after.sales_tax_schedule := coalesce(schedule, v_before.sales_tax_schedule);
  v_after.eligible_reviewers := case
    when 'reviewers' = any (v_clear) then null
    else coalesce(rules.checked_actor_list(reviewers), v_before.eligible_reviewers)
  end;
  v_after.active := coalesce(active, v_before.active);
  v_changes := v_after is distinct from v_before;

  -- WRITE
  if v_changes then
    perform rules.refuse_all(
      rules.field_violations(v_actor, v_before, v_after), jsonb_build_object('client_id', client_id)
    );
    perform rules.write_changes(array[(v_context, v_before, v_after)::rules.change]);
  end if;

  -- ANSWER
  return rules.remember_answer(v_context, rules.change_answer(client_id, v_changes));
end
$$;

comment on function api.update_client(
  bigint, text, bigint, text, text[], text, text, text, text, text[], boolean, text[], text, text, text, text, jsonb
) is
'Change what is known of a client besides stage and flags.
client_id: the client. What is left out stays. expected_version: refuse when the client has changed since.
owner, collaborators, notes: for can_set_stage. tier, cadence, schedule, reviewers, active: for can_admin.
clear: names of owner, collaborators, notes, reviewers to empty.
reason, triggered_by, on_behalf_of, channel, external_id, payload: as in set_stage; none is required.
Answers {client, history, changed, replayed}; changed is false and history null when everything was so already.
Errors: permission_missing (403); client_not_found (404); version_conflict, idempotency_key_reused (409); unknown_value,
text_too_long, text_not_clean, actor_id_not_valid, unknown_channel, payload_not_valid (422).';

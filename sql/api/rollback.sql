create or replace function api.rollback(
  client_id   bigint,
  history_id  bigint,
  reason      text,
  external_id text default null
)
returns api."application/json"
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  v_actor   constant text := rules.current_actor();
  v_key     constant text := rules.idempotency_key(external_id);
  v_context rules.change_context;
  v_client  rules.client_state;
  v_row     public.stage_history;
  v_missing rules.violation;
  v_answer  json;
begin
  -- OPEN
  v_context := rules.open_change(v_actor, reason, external_id => v_key, reason_required => true);
  v_context.rolls_back := history_id;
  v_answer := rules.earlier_answer(
    v_context,
    jsonb_build_object('call', 'rollback', 'client_id', client_id, 'history_id', history_id)
  );
  if v_answer is not null then
    return v_answer;
  end if;

  -- LOCK
  v_client := rules.lock_client(client_id);

  -- EVALUATE
  v_missing := rules.missing_permission(
    v_actor, 'can_admin', client_id => client_id, from_stage => v_client.stage, service_tier => v_client.service_tier
  );
  if v_missing is not null then
    perform rules.refuse_all(array[v_missing], jsonb_build_object('client_id', client_id));
  end if;
  select h.* into v_row from public.stage_history h where h.id = history_id and h.client_id = rollback.client_id;
  if v_row.id is null then
    perform rules.refuse('history_not_found', jsonb_build_object('client_id', client_id, 'history_id', history_id));
  end if;
  perform rules.refuse_all(rules.reversal_violations(v_client, v_row));

  -- WRITE
  perform rules.write_changes(array[(v_context, v_client, rules.rolled_back(v_client, v_row))::rules.change]);

  -- ANSWER
  return rules.remember_answer(v_context, rules.change_answer(client_id, true));
end
$$;

comment on function api.rollback(bigint, bigint, text, text) is
'Take a change back by appending a compensating history row.
client_id, history_id: the client and the row of its history. reason: why. external_id: makes the call repeatable.
Restores stage, stage_entered_at and returning_to_stage, or the flag. A row is rolled back at most once, and only while no later
change of the same thing stands on it. For can_admin.
Answers {client, history, changed, replayed}.
Errors: permission_missing (403); client_not_found, history_not_found (404); already_rolled_back, rollback_blocked (gives
blocking_history_id), idempotency_key_reused (409); not_reversible, client_inactive, reason_required, text_too_long, text_not_clean (422).';

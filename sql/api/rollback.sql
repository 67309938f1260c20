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
  v_context rules.change_context;
  v_earlier record;
begin
  -- OPEN
  v_context := rules.open_context(
    rules.current_actor(), reason, external_id => external_id, reason_required => true
  );
  select * into v_earlier from rules.earlier_answer(
    v_context, jsonb_build_object('call', 'rollback', 'client_id', client_id, 'history_id', history_id)
  );
  perform rules.refuse_all(v_earlier.violations);
  if v_earlier.answer is not null then
    return v_earlier.answer;
  end if;
  -- before the lock, so a caller without permission never blocks others
  perform rules.require_permission(v_context.actor_id, 'can_admin', client_id);

  -- LOCK
  perform rules.lock_client(client_id);

  -- EVALUATE: again, because the client can have left the scope meanwhile
  perform rules.require_permission(v_context.actor_id, 'can_admin', client_id);
  if not exists (select from public.stage_history h where h.id = history_id and h.client_id = rollback.client_id) then
    perform rules.refuse('history_not_found', jsonb_build_object('client_id', client_id, 'history_id', history_id));
  end if;

  -- WRITE
  perform rules.refuse_all(array[r.violation], jsonb_build_object('client_id', client_id))
  from rules.reverse(v_context, array[history_id]) r;

  -- ANSWER
  return rules.remember_answer(v_context, rules.change_answer(client_id));
end
$$;

comment on function api.rollback(bigint, bigint, text, text) is
'Roll back a history row by appending a compensating row.
client_id, history_id: the client and the row. reason: why, at most 2,000 characters. external_id: the idempotency key.
Restores stage, stage_entered_at and returning_to_stage, or the flag. A row is rolled back at most once, and only while no later
change of the same thing depends on it. Needs can_admin.
Returns {client, history, changed, replayed}.
Errors: permission_missing (403); client_not_found, history_not_found (404); already_rolled_back, rollback_blocked (gives
blocking_history_id), idempotency_key_reused, answer_erased, host_constraint, host_trigger_failed (409); not_reversible, client_inactive,
reason_required, text_too_long, text_not_clean (422); client_locked, key_in_use, retry (503).';

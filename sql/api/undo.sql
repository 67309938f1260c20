create or replace function api.undo(
  client_id        bigint,
  expected_version bigint,
  reason           text default null,
  external_id      text default null,
  on_behalf_of     text default null
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
  v_row     public.stage_history;
  v_client  rules.client_state;
  v_earlier record;
begin
  -- OPEN
  v_context := rules.open_context(
    rules.current_actor(), reason, on_behalf_of => on_behalf_of, external_id => external_id
  );
  if expected_version is null then
    perform rules.refuse('expected_version_required');
  end if;
  select * into v_earlier from rules.earlier_answer(
    v_context, jsonb_build_object('call', 'undo', 'client_id', client_id, 'expected_version', expected_version)
  );
  perform rules.refuse_all(v_earlier.violations);
  if v_earlier.answer is not null then
    return v_earlier.answer;
  end if;
  -- before the lock, so a caller that can't undo it never blocks others
  select h.*
  into v_row
  from public.stage_history h
  where h.client_id = client_id
    and h.version = expected_version;
  if v_row.id is not null then
    perform rules.refuse_all(
      rules.undo_violations(rules.judged_actor(v_context.actor_id, on_behalf_of), array[v_row.id]),
      jsonb_build_object('client_id', client_id)
    );
  end if;

  -- LOCK
  v_client := rules.lock_client(client_id);

  -- EVALUATE
  if v_client.version <> expected_version then
    perform rules.refuse_all(array[rules.version_conflict(v_client, expected_version)]);
  end if;

  -- WRITE
  perform rules.refuse_all(array[r.violation], jsonb_build_object('client_id', client_id))
  from rules.reverse(v_context, array[v_row.id]) r;

  -- ANSWER
  return rules.remember_answer(v_context, rules.change_answer(client_id));
end
$$;

comment on function api.undo(bigint, bigint, text, text, text) is
'Undo the newest change of a client, if the caller made it.
client_id: the client. expected_version: the version that the change made, as its answer returned it. reason: optional, at most 2,000
characters. external_id: the idempotency key. on_behalf_of: as in set_stage. Needs no permission, but only the actor that made the change, or
for which it was made, can undo it, within the minutes in the settings (undo_minutes; 0 turns it off). It is recorded as a rollback.
Returns {client, history, changed, replayed}.
Errors: permission_missing, undo_not_yours, undo_too_late (403); client_not_found (404); version_conflict, already_rolled_back, rollback_blocked,
idempotency_key_reused, answer_erased, host_constraint, host_trigger_failed (409); not_reversible, client_inactive,
expected_version_required, text_too_long, text_not_clean (422); client_locked, key_in_use, retry (503).';

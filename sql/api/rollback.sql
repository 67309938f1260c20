create or replace function api.rollback(
  client_id   bigint,
  history_id  bigint,
  reason      text,
  external_id text default null
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_actor   text := rules.current_actor();
  v_key     text := rules.idempotency_key(external_id);
  v_request jsonb := jsonb_build_object(
    'call', 'rollback', 'actor_id', v_actor, 'client_id', client_id, 'history_id', history_id, 'reason', reason
  );
  v_answer  jsonb := rules.replayed_answer(v_key, v_request);
  v_client  public.clients;
  v_row     public.stage_history;
begin
  if v_answer is not null then
    return v_answer;
  end if;

  -- LOCK
  v_client := rules.lock_client(client_id);

  -- GUARD
  v_row := rules.reversible_row(v_actor, v_client, history_id);
  perform rules.begin_change(
    case when v_row.to_stage is not null then 'move' else 'flags' end,
    rules.change_request(v_actor, reason, external_id => v_key, reason_required => true)
      || jsonb_build_object('rolls_back', history_id)
  );

  -- ACT: put back what the row changed; the trigger records it as a rollback
  update public.clients c
  set stage              = coalesce(v_row.from_stage, c.stage),
      stage_entered_at   = coalesce(v_row.from_entered_at, c.stage_entered_at),
      returning_to_stage = case when v_row.to_stage is null then c.returning_to_stage else v_row.from_returning_to end,
      flags              = case
        -- `stuck` belongs to the stage it was set in
        when v_row.to_stage is not null
          then array_remove(c.flags, 'stuck') || array_remove(array[v_row.flag_removed], null)
        else array_remove(c.flags, v_row.flag_added) || array_remove(array[v_row.flag_removed], null)
      end
  where c.id = v_client.id
  returning * into v_client;

  return rules.remember_answer(v_key, v_request, rules.change_answer(v_client.id, true)::jsonb);
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

create or replace function api.undo_batch(
  batch        uuid,
  reason       text default null,
  on_behalf_of text default null
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  v_context rules.change_context;
  v_rows    bigint[];
  v_earlier record;
  v_answer  jsonb;
begin
  -- OPEN
  v_context := rules.open_context(rules.current_actor(), reason, on_behalf_of => on_behalf_of);
  select * into v_earlier from rules.earlier_answer(v_context, jsonb_build_object('call', 'undo_batch', 'batch', batch));
  perform rules.refuse_all(v_earlier.violations);
  if v_earlier.answer is not null then
    return v_earlier.answer;
  end if;
  v_rows := rules.require_batch(batch);
  perform rules.refuse_all(rules.undo_violations(rules.judged_actor(v_context.actor_id, on_behalf_of), v_rows));

  -- LOCK, EVALUATE, WRITE and ANSWER
  v_answer := jsonb_build_object('batch', batch) || rules.reversal_answer(
    v_context, jsonb_build_object('rolls_back_batch', batch), v_rows
  );
  return rules.remember_answer(v_context, v_answer::json);
end
$$;

comment on function api.undo_batch(uuid, text, text) is
'Undo everything that the caller''s own call of set_stages, set_flags, update_clients or hand_over changed.
batch: as that call returned it. reason: optional, at most 2,000 characters. on_behalf_of: as in set_stage. Needs no permission, but only the
actor that made the call, or for which it was made, can undo it, within the minutes in the settings (undo_minutes; 0 turns it off).
Every change that no later change depends on is rolled back by its own history row; the others are listed and kept.
Returns {batch, rolled_back, left}: the number of changes rolled back; for each other change its client_id, history_id, rule, text and facts.
Errors: undo_not_yours, undo_too_late (403); batch_not_found (404); idempotency_key_reused, answer_erased (409); text_too_long,
text_not_clean (422); key_in_use, client_locked, retry (503).';

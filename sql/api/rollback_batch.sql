create or replace function api.rollback_batch(
  batch  uuid,
  reason text
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  v_actor   constant text := rules.current_actor();
  v_context rules.change_context;
  v_rows    bigint[];
begin
  -- OPEN
  v_context := rules.open_context(v_actor, reason, reason_required => true);
  perform rules.require_permission(v_actor, 'can_admin');
  v_rows := rules.require_batch(batch);

  -- LOCK, EVALUATE, WRITE and ANSWER
  return jsonb_build_object('batch', batch) || rules.reversal_answer(
    v_context, jsonb_build_object('rolls_back_batch', batch), v_rows
  );
end
$$;

comment on function api.rollback_batch(uuid, text) is
'Roll back everything that one call of set_stages, set_flags or update_clients changed, at any time.
batch: as that call returned it. reason: why, at most 2,000 characters. Needs can_admin.
Every change that no later change depends on is rolled back by its own history row; the others are listed and kept.
Returns {batch, rolled_back, left}: the number of changes rolled back; for each other change its client_id, history_id, rule, text and facts.
Errors: permission_missing (403); batch_not_found (404); reason_required, text_too_long, text_not_clean (422); client_locked, retry (503).';

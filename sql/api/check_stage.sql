create or replace function api.check_stage(
  client_id bigint,
  to_stage  text
)
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  v_actor    text := rules.current_actor();
  v_client   public.clients := rules.require_client(client_id);
  v_refusals jsonb;
begin
  -- GUARD
  perform rules.require_stage(to_stage);

  -- ACT: the evaluator of the real move
  v_refusals := rules.stage_refusals(
    v_actor, v_client.id, v_client.stage, to_stage, v_client.returning_to_stage, v_client.active,
    v_client.service_tier, v_client.eligible_reviewers, false
  );
  return jsonb_build_object(
    'allowed', v_refusals is null,
    'refusals', coalesce(v_refusals, '[]'),
    'allowed_stages', rules.allowed_stages(v_client.stage, v_client.returning_to_stage),
    'client_id', v_client.id,
    'version', v_client.version
  );
end
$$;

comment on function api.check_stage(bigint, text) is
'May I? The dry run of set_stage, by the same evaluator.
client_id: the client. to_stage: the stage asked about. Any actor may ask for itself.
Answers {allowed, refusals, allowed_stages, client_id, version}: each refusal with its rule code and facts; allowed_stages by the transitions alone.
Errors: client_not_found (404), unknown_stage (422).';

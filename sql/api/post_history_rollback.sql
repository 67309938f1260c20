create or replace function api.post_history_rollback(bytea)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  v_said jsonb := rules.call_arguments('rollback', '{client_id,history_id}', $1);
begin
  return api.rollback(
    client_id   => (v_said ->> 'client_id')::bigint,
    history_id  => (v_said ->> 'history_id')::bigint,
    reason      => v_said ->> 'reason',
    external_id => v_said ->> 'external_id'
  );
end
$$;

comment on function api.post_history_rollback(bytea) is
'POST /api/clients/:id/stage_history/:row_id/rollback at the gateway: rollback, its client and row named by the path.
The body is a JSON object of the other arguments of rollback. Called as /rpc/post_history_rollback it is refused: there is no path.
Answers and errors: those of rollback; body_not_valid, unknown_argument, argument_not_valid (400).';

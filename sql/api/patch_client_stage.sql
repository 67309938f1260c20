create or replace function api.patch_client_stage(bytea)
returns api."application/json"
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  v_said jsonb := rules.call_arguments('set_stage', '{client_id}', $1);
begin
  return api.set_stage(
    client_id        => (v_said ->> 'client_id')::bigint,
    to_stage         => v_said ->> 'to_stage',
    reason           => v_said ->> 'reason',
    expected_version => (v_said ->> 'expected_version')::bigint,
    triggered_by     => v_said ->> 'triggered_by',
    on_behalf_of     => v_said ->> 'on_behalf_of',
    channel          => v_said ->> 'channel',
    external_id      => v_said ->> 'external_id',
    payload          => nullif(v_said -> 'payload', 'null'),
    override         => coalesce((v_said ->> 'override')::boolean, false)
  );
end
$$;

comment on function api.patch_client_stage(bytea) is
'PATCH /api/clients/:id/stage at the gateway: set_stage, its client named by the path.
The body is a JSON object of the other arguments of set_stage. Called as /rpc/patch_client_stage it is refused: there is no path.
Answers and errors: those of set_stage; body_not_valid, unknown_argument, argument_not_valid (400).';

create or replace function api.patch_client(bytea)
returns api."application/json"
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  v_said jsonb := rules.call_arguments('update_client', '{client_id}', $1);
begin
  return (
    select api.update_client(
      client_id        => said.client_id,
      reason           => said.reason,
      expected_version => said.expected_version,
      owner            => said.owner,
      collaborators    => said.collaborators,
      notes            => said.notes,
      tier             => said.tier,
      cadence          => said.cadence,
      schedule         => said.schedule,
      reviewers        => said.reviewers,
      active           => said.active,
      clear            => said.clear,
      triggered_by     => said.triggered_by,
      on_behalf_of     => said.on_behalf_of,
      channel          => said.channel,
      external_id      => said.external_id,
      payload          => nullif(said.payload, 'null')
    )
    from jsonb_to_record(v_said) as said (
      client_id bigint, reason text, expected_version bigint, owner text, collaborators text[], notes text, tier text,
      cadence text, schedule text, reviewers text[], active boolean, clear text[], triggered_by text, on_behalf_of text,
      channel text, external_id text, payload jsonb
    )
  );
end
$$;

comment on function api.patch_client(bytea) is
'PATCH /api/clients/:id at the gateway: update_client, its client named by the path.
The body is a JSON object of the other arguments of update_client. Called as /rpc/patch_client it is refused: there is no path.
Answers and errors: those of update_client; body_not_valid, unknown_argument, argument_not_valid (400).';

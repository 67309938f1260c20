-- Everything that forbids a move as it was asked for: of this client, from this version, to this stage.
-- `client` is all null where there is none.
create or replace function rules.move_refusals(
  actor_id         text,
  client           public.clients,
  client_id        bigint,
  to_stage         text,
  expected_version bigint,
  override         boolean
)
returns jsonb
language plpgsql
stable
as $$
begin
  if client.id is null then
    return jsonb_build_array(rules.refusal('client_not_found', jsonb_build_object('client_id', client_id)));
  end if;
  return coalesce(
    '[]' || rules.unknown_stage(to_stage),
    '[]' || rules.version_conflict(client, expected_version),
    rules.stage_refusals(
      actor_id, client.id, client.stage, to_stage, client.returning_to_stage, client.active,
      client.service_tier, client.eligible_reviewers, override
    )
  );
end
$$;

-- The caller decided on what it read: the refusal when the client has changed since, or null.
create or replace function rules.version_conflict(
  client           public.clients,
  expected_version bigint
)
returns jsonb
language plpgsql
stable
as $$
begin
  return case
    when client.version <> expected_version then rules.refusal('version_conflict', jsonb_build_object(
      'client_id', client.id,
      'expected_version', expected_version,
      'current_version', client.version,
      'current_stage', client.stage
    ))
  end;
end
$$;

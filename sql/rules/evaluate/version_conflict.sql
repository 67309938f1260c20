-- The caller decided on what it read, and the client has changed since.
create or replace function rules.version_conflict(
  client           rules.client_state,
  expected_version bigint
)
returns rules.violation
language sql
immutable
as $$
  select ('version_conflict', jsonb_build_object(
    'client_id', client.id,
    'expected_version', expected_version,
    'current_version', client.version,
    'current_stage', client.stage
  ))::rules.violation
$$;

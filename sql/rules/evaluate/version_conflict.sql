-- The violation of a caller that decided on an older version of the client.
create or replace function rules.version_conflict(
  client           rules.client_state,
  expected_version bigint
)
returns rules.violation
language sql
stable
as $$
  select ('version_conflict', jsonb_build_object(
    'client_id', client.id,
    'expected_version', expected_version,
    'current_version', client.version,
    'current_stage', client.stage
  ))::rules.violation
$$;

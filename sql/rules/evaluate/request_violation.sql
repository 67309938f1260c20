-- The violation of a request that is invalid before any rule is evaluated; null if it is valid. SQL, so that the
-- planner inlines it into evaluate.
create or replace function rules.request_violation(
  action           text,
  word             text,
  expected_version bigint,
  context          rules.change_context,
  client           rules.client_state    -- null: the client doesn't exist
)
returns rules.violation
language sql
immutable
as $$
  select case
    when action = 'move' and expected_version is null then ('expected_version_required', null)::rules.violation
    when client.id is null then ('client_not_found', null)::rules.violation
    when client.version <> expected_version then rules.version_conflict(client, expected_version)
    when action = 'move' and word = 'eom_close' and context.payload ? 'period'
      and (context.payload ->> 'period' ~ '^[0-9]{4}-(0[1-9]|1[0-2])$') is not true
      then ('period_not_valid', null)::rules.violation
  end
$$;

-- The violation of a request that is invalid before any rule is evaluated; null if it is valid. SQL, so that the
-- planner inlines it into evaluate. It wouldn't inline an immutable function that calls a stable one, such as
-- jsonb_build_object.
create or replace function rules.request_violation(
  action           text,
  word             text,
  expected_version bigint,
  close_period     text,
  client           rules.client_state    -- null: the client doesn't exist
)
returns rules.violation
language sql
stable
as $$
  select case
    when action = 'move' and expected_version is null then ('expected_version_required', null)::rules.violation
    when client.id is null then ('client_not_found', null)::rules.violation
    when client.version <> expected_version then rules.version_conflict(client, expected_version)
    when close_period !~ '^(19|20)[0-9]{2}-(0[1-9]|1[0-2])$'
      then ('period_not_valid', jsonb_build_object('close_period', left(close_period, 200)))::rules.violation
    when close_period <> client.close_period or (close_period is not null and not rules.in_close(word, null))
      then ('period_not_expected', jsonb_build_object(
        'close_period', close_period, 'current_period', client.close_period
      ))::rules.violation
  end
$$;

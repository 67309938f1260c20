-- EVALUATE what a caller asked for, before the rules are: a stage that there is, the version that it read, a period
-- that is one. The first of these that fails; null where none does.
create or replace function rules.move_request_violations(
  context          rules.change_context,
  client           rules.client_state,
  to_stage         text,
  expected_version bigint
)
returns rules.violation[]
language plpgsql
stable
as $$
#variable_conflict use_variable
begin
  return case
    when expected_version is null
      then array[('expected_version_required', null)::rules.violation]
    when client.id is null
      then array[('client_not_found', null)::rules.violation]
    when not exists (select from public.stages s where s.stage = to_stage)
      then rules.unknown_stage(to_stage)
    when client.version <> expected_version
      then array[rules.version_conflict(client, expected_version)]
    when to_stage = 'eom_close' and context.payload ? 'period'
      and (context.payload ->> 'period' ~ '^[0-9]{4}-(0[1-9]|1[0-2])$') is not true
      then array[('period_not_valid', null)::rules.violation]
  end;
end
$$;

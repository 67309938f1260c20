-- A client of a call that changes many and that was left as it is: its facts, the rule and the text. SQL, so that the
-- planner inlines it.
create or replace function rules.left_json(
  violations rules.violation[],
  facts      jsonb
)
returns jsonb
language sql
stable
as $$
  select (rules.error_json(violations, facts) -> 'details') - 'refusals'
$$;

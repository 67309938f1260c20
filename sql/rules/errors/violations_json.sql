-- Violations as an answer or an error shows them: each with its status and words, and the facts that failed.
create or replace function rules.violations_json(violations rules.violation[])
returns jsonb
language plpgsql
immutable
as $$
#variable_conflict use_variable
begin
  return (
    select coalesce(
      jsonb_agg(
        jsonb_build_object('rule', c.rule, 'status', c.status, 'message', c.message, 'hint', c.hint)
          || coalesce(v.facts, '{}')
        order by v.place
      ),
      '[]'
    )
    from unnest(violations) with ordinality as v (rule, facts, place)
    join rules.violation_catalog() c on c.rule = v.rule
  );
end
$$;

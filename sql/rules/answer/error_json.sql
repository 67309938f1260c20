-- Violations as one error, in PostgREST's shape. Status, message and hint are those of the first; details has its code
-- and facts, the facts of the request, a text for people, and under `refusals` all violations.
create or replace function rules.error_json(
  violations rules.violation[],
  facts      jsonb default '{}'
)
returns jsonb
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_all   jsonb := (
    select coalesce(
      jsonb_agg(
        jsonb_build_object(
          'rule', c.rule, 'status', c.status, 'message', c.message, 'hint', c.hint,
          'text', rules.violation_text(c.text, coalesce(v.facts, '{}') || facts)
        ) || coalesce(v.facts, '{}')
        order by v.place
      ),
      '[]'
    )
    from unnest(violations) with ordinality as v (rule, facts, place)
    join rules.violation_catalog() c on c.rule = v.rule
  );
  v_first jsonb := v_all -> 0;
begin
  return jsonb_build_object(
    'status', v_first -> 'status',
    'code', 'PT' || (v_first ->> 'status'),
    'message', v_first -> 'message',
    'details', (v_first - '{status,message,hint}'::text[]) || facts || jsonb_build_object('refusals', v_all),
    'hint', v_first -> 'hint'
  );
end
$$;

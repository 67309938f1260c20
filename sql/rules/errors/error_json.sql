-- Violations as one error, in PostgREST's shape: status, message and hint are the first one's; details has its code and
-- facts, the facts of the request, and under `refusals` all of them.
create or replace function rules.error_json(
  violations rules.violation[],
  facts      jsonb default '{}'
)
returns jsonb
language plpgsql
immutable
as $$
#variable_conflict use_variable
declare
  v_all   jsonb := rules.violations_json(violations);
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

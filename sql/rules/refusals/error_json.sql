-- An array of refusals as one error, in PostgREST's shape: status, message and hint are the first one's;
-- details has its code and facts, the facts of the request, and `refusals` with all of them.
create or replace function rules.error_json(
  refusals jsonb,
  facts    jsonb default '{}'
)
returns jsonb
language plpgsql
immutable
as $$
declare
  v_first jsonb := refusals -> 0;
begin
  return jsonb_build_object(
    'status', v_first -> 'status',
    'code', 'PT' || (v_first ->> 'status'),
    'message', v_first -> 'message',
    'details', (v_first - '{status,message,hint}'::text[]) || facts || jsonb_build_object('refusals', refusals),
    'hint', v_first -> 'hint'
  );
end
$$;

-- Raise an array of refusals as one error.
create or replace function rules.refuse_all(
  refusals jsonb,
  facts    jsonb default '{}'
)
returns void
language plpgsql
volatile
as $$
declare
  v_error jsonb := rules.error_json(refusals, facts);
begin
  raise exception using
    errcode = v_error ->> 'code',
    message = v_error ->> 'message',
    detail  = v_error ->> 'details',
    hint    = v_error ->> 'hint';
end
$$;

-- Raise violations as one error; do nothing if there are none.
create or replace function rules.refuse_all(
  violations rules.violation[],
  facts      jsonb default '{}'   -- of the request
)
returns void
language plpgsql
volatile
as $$
#variable_conflict use_variable
declare
  v_error jsonb;
begin
  if violations is null then
    return;
  end if;
  v_error := rules.error_json(violations, facts);
  raise exception using
    errcode = v_error ->> 'code',
    message = v_error ->> 'message',
    detail  = v_error ->> 'details',
    hint    = v_error ->> 'hint';
end
$$;

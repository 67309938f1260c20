-- The first answer to this request, when its key was used before; null when it is new or has no key. A key that was
-- used for another request is refused.
create or replace function rules.earlier_answer(
  context rules.change_context,
  request jsonb
)
returns json
language plpgsql
volatile
as $$
#variable_conflict use_variable
declare
  v_earlier record;
begin
  if context.external_id is null then
    return null;
  end if;
  v_earlier := rules.earlier_use(context, request);
  perform rules.refuse_all(v_earlier.violations);
  return v_earlier.answer;
end
$$;

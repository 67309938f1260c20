-- The first answer to this request, when its key was used before; null when it is new or there is none.
create or replace function rules.replayed_answer(
  external_id text,
  request     jsonb
)
returns jsonb
language plpgsql
volatile
as $$
declare
  v_earlier jsonb;
begin
  if external_id is null then
    return null;
  end if;

  -- LOCK
  perform rules.lock_key(external_id);

  v_earlier := rules.earlier_use(external_id, request);
  perform rules.refuse_if(v_earlier -> 'refusal');
  return v_earlier -> 'answer';
end
$$;

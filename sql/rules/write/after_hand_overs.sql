-- The value of an actor field (an actor, or a list of them) after later hand-overs, oldest first: each replaces one
-- actor by another. payloads: of their history rows.
create or replace function rules.after_hand_overs(
  value    jsonb,
  payloads jsonb[]
)
returns jsonb
language plpgsql
immutable
as $$
#variable_conflict use_variable
declare
  v_payload jsonb;
  v_from    text;
begin
  foreach v_payload in array coalesce(payloads, '{}') loop
    v_from := v_payload #>> '{hand_over,from}';
    if value = to_jsonb(v_from) then
      value := v_payload #> '{hand_over,to}';
    elsif jsonb_typeof(value) = 'array' and value ? v_from then
      value := to_jsonb(rules.checked_actor_list(array(
        select case a.actor when v_from then v_payload #>> '{hand_over,to}' else a.actor end
        from jsonb_array_elements_text(value) as a (actor)
      )));
    end if;
  end loop;
  return value;
end
$$;

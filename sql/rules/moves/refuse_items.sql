-- Raise the first refused item's error for the whole of an atomic batch, with all refused items in its details.
create or replace function rules.refuse_items(refused json[])
returns void
language plpgsql
volatile
as $$
#variable_conflict use_variable
declare
  v_first jsonb := refused[1];
begin
  perform rules.refuse_all(
    array(
      select (r.refusal ->> 'rule', r.refusal - '{rule,status,message,hint}'::text[])::rules.violation
      from jsonb_array_elements(v_first #> '{details,refusals}') with ordinality as r (refusal, place)
      order by r.place
    ),
    jsonb_build_object('items', to_jsonb(refused))
  );
end
$$;

-- ANSWER a call that changes one client: raise its violations, or return its answer.
create or replace function rules.answer_one(items rules.item[])
returns json
language plpgsql
volatile
as $$
#variable_conflict use_variable
begin
  perform rules.refuse_all(items[1].violations, jsonb_build_object('client_id', items[1].client_id));
  items := rules.answer_items(items);
  return items[1].answer;
end
$$;

-- Keep the answer of a repeatable write, and pass it on. An answer without a key is only passed on.
create or replace function rules.remember_answer(
  context rules.change_context,
  answer  json
)
returns json
language plpgsql
volatile
as $$
#variable_conflict use_variable
begin
  if context.external_id is not null then
    update public.idempotency_keys k
    set response = answer::jsonb
    where k.external_id = context.external_id and k.actor_id = context.actor_id;
  end if;
  return answer;
end
$$;

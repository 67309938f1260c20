-- ANSWER: keep the answer to a request with an idempotency key, without its place in a batch, and return it.
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
    set
      response = answer::jsonb - '{index,status}'::text[],
      -- only the answer has the id of a client that this request created
      client_ids = case
        when k.client_ids = '{}' then array_remove(array[(answer #>> '{client,id}')::bigint], null)
        else k.client_ids
      end
    where k.external_id = context.external_id and k.actor_id = context.actor_id;
  end if;
  return answer;
end
$$;

-- Keep the answer of a repeatable write, and pass it on. An answer without a key is only passed on.
create or replace function rules.remember_answer(
  external_id text,
  request     jsonb,
  answer      jsonb
)
returns jsonb
language plpgsql
volatile
as $$
begin
  if external_id is not null then
    insert into public.idempotency_keys (external_id, actor_id, request_sha256, response)
    values (external_id, request ->> 'actor_id', rules.request_sha256(request), answer);
  end if;
  return answer;
end
$$;

-- Record that this request's token was used. It never waits for another request of the same actor
-- that records it too.
create or replace function rules.mark_token_use()
returns void
language plpgsql
volatile
as $$
#variable_conflict use_variable
declare
  v_secret constant text := rules.request_header('x-atlas-token');
begin
  update public.actor_tokens t
  set last_used_at = now()
  where t.token_hash = (
    select l.token_hash
    from public.actor_tokens l
    where l.token_hash = rules.sha256_hex(v_secret)
    for no key update skip locked
  );
end
$$;

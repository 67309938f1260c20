-- Whose token this request carries. One that is unknown, revoked or expired is refused; null means none, which will do
-- to ask whether the service is well and what there is to ask.
-- It reads the request itself, so that nobody can ask about a token whom PostgREST would not have answered anyway.
create or replace function rules.token_actor()
returns text
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  v_secret text := nullif(current_setting('request.headers', true), '')::json ->> 'x-atlas-token';
  v_token  public.actor_tokens;
begin
  -- whatever the request will wait for, it does not wait for ever
  perform set_config('lock_timeout', extract(epoch from s.lock_wait) || 's', true) from public.stage_settings s;

  if v_secret is null and current_setting('request.path', true) in ('/', '/rpc/health') then
    return null;
  end if;
  select * into v_token
  from public.actor_tokens t
  where t.token_hash = rules.sha256_hex(v_secret)
    and t.revoked_at is null
    and (t.expires_at is null or t.expires_at > now());
  if not found then
    perform rules.refuse('unauthenticated');
  end if;

  -- Only a write may write; and it never waits for another request that is just doing the same.
  if current_setting('transaction_read_only') = 'off'
    and (v_token.last_used_at > now() - interval '15 minutes') is not true
  then
    update public.actor_tokens t
    set last_used_at = now()
    where t.token_hash = (
      select l.token_hash
      from public.actor_tokens l
      where l.token_hash = v_token.token_hash
        and l.last_used_at is not distinct from v_token.last_used_at
      for no key update skip locked
    );
  end if;
  return v_token.actor_id;
end
$$;

-- The actor whose token this request carries; a token that is unknown, revoked or expired is
-- refused. Null: the path needs none, or takes an invite instead.
-- It reads the request itself, so that no caller can ask about a token that PostgREST didn't get.
create or replace function rules.token_actor()
returns text
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  v_secret text := rules.plain_header('x-atlas-token');
  v_path   text;
begin
  if v_secret = '' then
    v_secret := rules.request_header('x-atlas-token');
  end if;
  -- One statement finds the token and sets what the rest of the request needs, because every
  -- request pays for each statement. PostgREST applies no settings of the role that it switches to,
  -- so the timeouts are set here.
  perform
    set_config('atlas.token_actor', t.actor_id, true),
    case
      when (t.last_used_at > now() - interval '15 minutes') is not true
        then set_config('atlas.token_use_is_old', 'true', true)
    end,
    set_config('lock_timeout', '3s', true),
    set_config('statement_timeout', '30s', true)
  from public.actor_tokens t
  where t.token_hash = rules.sha256_hex(v_secret)
    and t.revoked_at is null
    and (t.expires_at is null or t.expires_at > now());
  if found then
    return current_setting('atlas.token_actor');
  end if;

  v_path := split_part(split_part(rules.request_header('x-atlas-request'), ' ', 2), '?', 1);
  if v_path = '/rpc/accept_invite'
    or nullif(v_secret, '') is null
      and (v_path in ('/', '/rpc/health') or current_setting('request.path', true) in ('/', '/rpc/health'))
  then
    perform set_config('lock_timeout', '3s', true), set_config('statement_timeout', '30s', true);
    return null;
  end if;
  perform rules.refuse('unauthenticated');
end
$$;

-- The actor whose token this request carries; an unknown, revoked or expired token is refused. Null: no token, on a path
-- that needs none.
-- It reads the request itself, so that no caller can ask about a token that PostgREST did not receive.
create or replace function rules.token_actor()
returns text
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  v_headers constant json := nullif(current_setting('request.headers', true), '')::json;
  v_secret  constant text := nullif(v_headers ->> 'x-atlas-token', '');
begin
  if v_secret is null and (
    current_setting('request.path', true) in ('/', '/rpc/health')
    or split_part(split_part(v_headers ->> 'x-atlas-request', ' ', 2), '?', 1) = '/rpc/health'
  ) then
    return null;
  end if;

  -- One statement looks up the token and sets what the rest of the request needs: every statement here is paid by every
  -- request. PostgREST applies no settings of the role it switches to, so the timeouts are set here too.
  perform
    set_config('atlas.token_actor', t.actor_id, true),
    set_config('atlas.token_use_is_old', ((t.last_used_at > now() - interval '15 minutes') is not true)::text, true),
    set_config('lock_timeout', extract(epoch from s.lock_wait) || 's', true),
    set_config('statement_timeout', '30s', true)
  from public.actor_tokens t
  cross join public.stage_settings s
  where t.token_hash = rules.sha256_hex(v_secret)
    and t.revoked_at is null
    and (t.expires_at is null or t.expires_at > now());
  if not found then
    perform rules.refuse('unauthenticated');
  end if;
  return current_setting('atlas.token_actor');
end
$$;

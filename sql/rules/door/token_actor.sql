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
  v_headers constant json := nullif(current_setting('request.headers', true), '')::json;
  v_secret  constant text := nullif(v_headers ->> 'x-atlas-token', '');
  v_path    constant text := split_part(split_part(v_headers ->> 'x-atlas-request', ' ', 2), '?', 1);
begin
  if v_path = '/rpc/accept_invite'
    or v_secret is null and (v_path in ('/', '/rpc/health') or current_setting('request.path', true) in ('/', '/rpc/health'))
  then
    perform set_config('lock_timeout', '3s', true), set_config('statement_timeout', '30s', true);
    return null;
  end if;

  -- One statement finds the token and sets what the rest of the request needs, because every
  -- request pays for each statement. PostgREST applies no settings of the role that it switches to,
  -- so the timeouts are set here.
  perform
    set_config('atlas.token_actor', t.actor_id, true),
    set_config('atlas.token_use_is_old', u.is_old::text, true),
    set_config('lock_timeout', extract(epoch from s.lock_wait) || 's', true),
    set_config('statement_timeout', '30s', true)
  from public.actor_tokens t
  cross join public.stage_settings s
  cross join lateral (
    select (t.last_used_at > now() - interval '15 minutes') is not true as is_old
  ) as u
  where t.token_hash = rules.sha256_hex(v_secret)
    and t.revoked_at is null
    and (t.expires_at is null or t.expires_at > now());
  if not found then
    perform rules.refuse('unauthenticated');
  end if;
  return current_setting('atlas.token_actor');
end
$$;

create or replace function api.adopt_legacy_token(token_hash text)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  v_actor text := rules.current_actor();
  v_token public.actor_tokens;
begin
  -- GUARD
  perform rules.require_permission(v_actor, 'can_admin');

  -- ACT
  begin
    insert into public.actor_tokens (token_hash, actor_id, description, created_by)
    values (adopt_legacy_token.token_hash, 'system:legacy', 'the shared ATLAS_INGEST_TOKEN', v_actor)
    on conflict do nothing
    returning * into v_token;
  exception when check_violation or not_null_violation then
    perform rules.refuse('token_hash_not_valid');
  end;
  if v_token.token_hash is not null then
    -- all its callers share one token, so adopting a changed one revokes the previous one
    update public.actor_tokens t
    set revoked_at = now()
    where t.actor_id = 'system:legacy'
      and t.token_hash <> v_token.token_hash
      and t.revoked_at is null;
    return jsonb_build_object('token', rules.token_json(v_token), 'changed', true);
  end if;

  select * into v_token from public.actor_tokens t where t.token_hash = adopt_legacy_token.token_hash;
  if v_token.actor_id is distinct from 'system:legacy' then
    perform rules.refuse('token_exists');
  end if;
  return jsonb_build_object('token', rules.token_json(v_token), 'changed', false);
end
$$;

comment on function api.adopt_legacy_token(text) is
'Keep accepting the existing shared ATLAS_INGEST_TOKEN, as system:legacy.
It can read, and write what system:legacy is granted. token_hash: the token''s SHA-256 in hex; the token itself is never sent
here. It never expires: revoke it when its callers have tokens. Adopting another one revokes it. Needs can_admin.
Returns {token, changed}; changed is false if it was adopted already.
Errors: permission_missing (403); token_exists (409); token_hash_not_valid (422), retry (503).';

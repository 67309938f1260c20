create or replace function api.revoke_token(token_id text)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  v_token public.actor_tokens;
begin
  -- GUARD
  perform rules.require_permission(rules.current_actor(), 'can_admin');

  -- ACT
  update public.actor_tokens t
  set revoked_at = now()
  where left(t.token_hash, 12) = token_id
    and t.revoked_at is null
  returning * into v_token;
  if found then
    return jsonb_build_object('token', rules.token_json(v_token), 'changed', true);
  end if;

  select * into v_token from public.actor_tokens t where left(t.token_hash, 12) = token_id;
  if not found then
    perform rules.refuse('token_not_found', jsonb_build_object('token_id', left(token_id, 12)));
  end if;
  return jsonb_build_object('token', rules.token_json(v_token), 'changed', false);
end
$$;

comment on function api.revoke_token(text) is
'Revoke a token, from the next request on; the row stays visible.
token_id: the 12 characters that api.tokens lists as id. Needs can_admin.
Returns {token, changed}; changed is false if it was revoked already.
Errors: permission_missing (403); token_not_found (404), retry (503).';

create or replace function api.accept_invite()
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  v_secret constant text := rules.request_header('x-atlas-token');
  v_invite public.actor_invites;
begin
  update public.actor_invites i
  set used_at = now()
  where i.invite_hash = rules.sha256_hex(v_secret)
    and i.used_at is null
    and i.expires_at > now()
  returning * into v_invite;
  if not found then
    perform rules.refuse('invite_not_valid');
  end if;
  perform set_config('atlas.token_actor', v_invite.actor_id, true);
  return rules.new_token(
    v_invite.actor_id, 'invited', v_invite.created_by, now() + v_invite.token_days * interval '24 hours'
  );
end
$$;

comment on function api.accept_invite() is
'Exchange an invite for a token. The invite is sent as the bearer token of this request; it can do nothing else.
Returns {token, id, actor_id, description, created_at, created_by, expires_at, revoked_at, last_used_at, state}. The token is shown only here.
Errors: invite_not_valid (401): unknown, used, or older than an hour; retry (503).';

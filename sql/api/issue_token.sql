create or replace function api.issue_token(
  actor_id      text,
  description   text default null,
  expires_at    timestamptz default null,
  never_expires boolean default false
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  v_actor   text := rules.current_actor();
  -- atl_, 43 random characters (256 bits, base64url), and a checksum by which a client can tell a mistyped token. Three
  -- random UUIDs hold 366 random bits; the hash makes them 256 evenly spread ones.
  v_random  bytea := sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));
  v_body    text := 'atl_' || rtrim(translate(encode(v_random, 'base64'), '+/', '-_'), '=');
  v_secret  text := v_body || left(rules.sha256_hex(v_body), 6);
  v_expires timestamptz := nullif(expires_at, 'infinity');
  v_token   public.actor_tokens;
begin
  -- GUARD
  perform rules.require_permission(v_actor, 'can_admin');
  perform rules.require_actor_id(actor_id);
  if (v_expires is null) = (never_expires is not true) then
    perform rules.refuse('expiry_required');
  end if;
  if v_expires <= now() then
    perform rules.refuse('expiry_in_past', jsonb_build_object('expires_at', expires_at));
  end if;

  -- ACT: this answer has the only copy of the secret
  insert into public.actor_tokens (token_hash, actor_id, description, created_by, expires_at)
  values (
    rules.sha256_hex(v_secret), actor_id, rules.checked_text('description', description, 200), v_actor, v_expires
  )
  returning * into v_token;
  return rules.token_json(v_token) || jsonb_build_object('token', v_secret);
end
$$;

comment on function api.issue_token(text, text, timestamptz, boolean) is
'Issue a bearer token for an actor. It is shown only in this answer.
actor_id: user:…, agent:… or system:…. description: what it is for, at most 200 characters. expires_at: required unless
never_expires is true. Needs can_admin.
Returns {token, id, actor_id, description, created_at, created_by, expires_at, revoked_at, last_used_at, state}.
Errors: permission_missing (403); actor_id_not_valid, expiry_required, expiry_in_past, text_too_long, text_not_clean (422).';

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
  v_expires timestamptz := nullif(expires_at, 'infinity');
begin
  -- GUARD
  perform rules.require_permission(v_actor, 'can_admin');
  perform rules.require_actor_id(actor_id, is_new => true);
  if (v_expires is null) = (never_expires is not true) then
    perform rules.refuse('expiry_required');
  end if;
  if v_expires <= now() then
    perform rules.refuse('expiry_in_past', jsonb_build_object('expires_at', expires_at));
  end if;

  -- ACT: this answer has the only copy of the secret
  return rules.new_token(actor_id, rules.checked_text('description', description, 200), v_actor, v_expires);
end
$$;

comment on function api.issue_token(text, text, timestamptz, boolean) is
'Issue a bearer token for an actor. It is shown only in this answer.
actor_id: user:…, agent:… or system:…. description: what it is for, at most 200 characters. expires_at: required unless
never_expires is true. Needs can_admin.
Returns {token, id, actor_id, description, created_at, created_by, expires_at, revoked_at, last_used_at, state}.
Errors: permission_missing (403); actor_id_not_valid, actor_id_not_normal, expiry_required, expiry_in_past, text_too_long, text_not_clean (422), retry (503).';

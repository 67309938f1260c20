create or replace function api.invite(
  actor_id   text,
  role       text default null,
  token_days integer default 365
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  v_actor   constant text        := rules.current_actor();
  v_secret  constant text        := rules.new_secret();
  v_expires constant timestamptz := now() + interval '1 hour';
begin
  -- GUARD
  perform rules.require_permission(v_actor, 'can_admin');
  perform rules.require_actor_id(actor_id, is_new => true);
  if (token_days between 1 and 3650) is not true then
    perform rules.refuse('days_not_valid', jsonb_build_object('days', token_days));
  end if;

  -- ACT: this answer has the only copy of the invite
  if role is not null then
    perform api.set_role(actor_id, role);
  end if;
  insert into public.actor_invites (invite_hash, actor_id, token_days, created_by, expires_at)
  values (rules.sha256_hex(v_secret), actor_id, token_days, v_actor, v_expires);
  return jsonb_build_object('invite', v_secret, 'actor_id', actor_id, 'expires_at', v_expires);
end
$$;

comment on function api.invite(text, text, integer) is
'Invite a person: make a secret for a link, which can be exchanged once for a token of this actor, within an hour.
actor_id: user:…, agent:… or system:…. role: also give this role, as set_role does. token_days: how long the token will be valid, 1 to
3,650 days. Needs can_admin.
Returns {invite, actor_id, expires_at}. The link to the board is /board/#invite= and the invite.
Errors: permission_missing (403); last_admin (409); actor_id_not_valid, actor_id_not_normal, unknown_role, days_not_valid (422), retry (503).';

create or replace function api.grant_permission(
  actor_id   text,
  permission text,
  scope      jsonb default null,
  notes      text default null
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  v_actor text := rules.current_actor();
  v_grant public.agent_permissions;
  v_scope jsonb := nullif(scope, 'null');
begin
  -- GUARD
  perform rules.require_permission(v_actor, 'can_admin');
  perform rules.require_actor_id(actor_id, is_new => true);
  perform rules.require_scope(permission, v_scope);

  -- LOCK: two equal grants at once become one
  perform rules.lock_admins();
  select *
  into v_grant
  from public.agent_permissions g
  where g.actor_id = grant_permission.actor_id
    and g.revoked_at is null
    and g.permission = grant_permission.permission
    and g.scope is not distinct from v_scope;
  if found then
    return jsonb_build_object('permission', to_jsonb(v_grant), 'changed', false);
  end if;

  -- ACT
  begin
    insert into public.agent_permissions (actor_id, permission, scope, granted_by, notes)
    values (actor_id, permission, v_scope, v_actor, rules.checked_text('notes', notes, 2000, lines => true))
    returning * into v_grant;
  exception
    when check_violation or not_null_violation then
      perform rules.refuse('unknown_permission', jsonb_build_object(
        'permission', left(permission, 200),
        'known', rules.known_words('agent_permissions_permission_check')
      ));
  end;
  return jsonb_build_object('permission', to_jsonb(v_grant), 'changed', true);
end
$$;

comment on function api.grant_permission(text, text, jsonb, text) is
'Grant a permission to an actor.
actor_id: user:…, agent:… or system:…, at most 200 characters. permission: can_read_clients, can_set_stage, can_set_flag,
can_sign_off_eom_review, can_offboard, can_act_for or can_admin. scope: null for everywhere, or an object of at most 100,000 bytes with any of
from, to (stages), flags, clients (ids), service_tiers, each an array; an omitted key does not restrict. can_act_for also has actors
(user:… or agent:…); without that key it covers each person that is no admin.
notes: at most 2,000 characters. Needs can_admin.
Returns {permission, changed}; changed is false if the same grant is live already.
Errors: permission_missing (403); actor_id_not_valid, actor_id_not_normal, unknown_permission, unknown_scope_key, scope_not_valid, text_too_long,
text_not_clean (422), retry (503).';

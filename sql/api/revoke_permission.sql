create or replace function api.revoke_permission(permission_id bigint)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  v_grant public.agent_permissions;
begin
  -- GUARD
  perform rules.require_permission(rules.current_actor(), 'can_admin');

  -- LOCK: two admins can't revoke each other at the same time
  perform rules.lock_admins();

  -- ACT
  update public.agent_permissions g
  set revoked_at = now()
  where g.id = permission_id
    and g.revoked_at is null
  returning * into v_grant;
  if found then
    return jsonb_build_object('permission', to_jsonb(v_grant), 'changed', true);
  end if;

  select * into v_grant from public.agent_permissions g where g.id = permission_id;
  if not found then
    perform rules.refuse('permission_not_found', jsonb_build_object('permission_id', permission_id));
  end if;
  return jsonb_build_object('permission', to_jsonb(v_grant), 'changed', false);
end
$$;

comment on function api.revoke_permission(bigint) is
'Revoke a grant, from the next request on; the row stays visible.
permission_id: the grant''s id. Needs can_admin. The last live, unscoped can_admin grant can''t be revoked.
Returns {permission, changed}; changed is false if it was revoked already.
Errors: permission_missing (403); permission_not_found (404); last_admin (409), retry (503).';

create or replace function api.set_role(
  actor_id text,
  role     text
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  v_actor   constant text := rules.current_actor();
  v_wanted  text[];
  v_changes integer;
  v_revoked integer;
begin
  -- GUARD
  perform rules.require_permission(v_actor, 'can_admin');
  perform rules.require_actor_id(actor_id, is_new => true);
  v_wanted := (select r.permissions from rules.role_catalog() r where r.role = set_role.role);
  if v_wanted is null then
    perform rules.refuse('unknown_role', jsonb_build_object(
      'role', left(role, 200), 'known', (select jsonb_agg(r.role) from rules.role_catalog() r)
    ));
  end if;

  -- LOCK
  perform rules.lock_admins();

  -- ACT: grant first, so that the last admin can become no other than an admin
  insert into public.agent_permissions (actor_id, permission, granted_by, notes)
  select set_role.actor_id, w.permission, v_actor, 'role ' || role
  from unnest(v_wanted) as w (permission)
  where not exists (
    select from rules.live_grants(set_role.actor_id) g where g.permission = w.permission and g.scope is null
  );
  get diagnostics v_changes = row_count;
  update public.agent_permissions g
  set revoked_at = now()
  where g.actor_id = set_role.actor_id
    and g.revoked_at is null
    and (g.scope is not null or g.permission <> all (v_wanted));
  get diagnostics v_revoked = row_count;
  return jsonb_build_object(
    'actor_id', actor_id, 'role', role, 'permissions', v_wanted, 'changed', v_changes + v_revoked > 0
  );
end
$$;

comment on function api.set_role(text, text) is
'Give an actor the permissions of a role, everywhere, and no others.
actor_id: user:… or agent:…. role: viewer (none), bookkeeper (can_set_stage, can_set_flag), reviewer (also can_sign_off_eom_review)
or admin (can_admin). Other grants of the actor are revoked, also those with a scope. Needs can_admin.
Returns {actor_id, role, permissions, changed}.
Errors: permission_missing (403); last_admin (409); actor_id_not_valid, actor_id_not_normal, unknown_role (422), retry (503).';

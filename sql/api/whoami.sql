create or replace function api.whoami()
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  v_actor text := rules.current_actor();
begin
  return jsonb_build_object(
    'actor_id', v_actor,
    'actor_type', rules.actor_type(v_actor),
    'permissions', (
      select coalesce(jsonb_agg(jsonb_build_object('permission', g.permission, 'scope', g.scope) order by g.id), '[]')
      from rules.live_grants(v_actor) g
    ),
    'allowed_changes', rules.allowed_changes(v_actor)
  );
end
$$;

comment on function api.whoami() is
'Show the caller''s actor and its permissions.
Returns {actor_id, actor_type, permissions, allowed_changes}: each live grant with its scope; and which kinds of change they allow to some
client: edit, flag, move, undo.
Call it when a program starts: it records that the token was used (a POST only), which no other read does.';

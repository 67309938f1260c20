-- The violation of an actor that no live grant lets do this, or null. Of several grants, any will do; can_admin implies
-- every permission. It names the grants that came near, and which keys of their scopes did not match.
create or replace function rules.missing_permission(
  actor_id     text,
  permission   text,
  client_id    bigint default null,
  from_stage   text default null,
  to_stage     text default null,
  flag         text default null,
  service_tier text default null
)
returns rules.violation
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_near_misses jsonb;
begin
  if exists (
    select
    from rules.live_grants g
    where g.actor_id = actor_id
      and g.permission in (missing_permission.permission, 'can_admin')
      and (
        g.scope is null
        or rules.scope_mismatches(g.scope, client_id, from_stage, to_stage, flag, service_tier) is null
      )
  ) then
    return null;
  end if;

  select
    jsonb_agg(
      jsonb_build_object(
        'permission_id', g.id,
        'permission', g.permission,
        'scope_keys', rules.scope_mismatches(g.scope, client_id, from_stage, to_stage, flag, service_tier)
      )
      order by g.id
    )
  into v_near_misses
  from rules.live_grants g
  where g.actor_id = actor_id
    and g.permission in (missing_permission.permission, 'can_admin');

  return ('permission_missing', jsonb_strip_nulls(jsonb_build_object(
    'actor_id', actor_id,
    'permission', permission,
    'scope_key', v_near_misses #> '{0,scope_keys,0}',
    'grants', v_near_misses
  )))::rules.violation;
end
$$;

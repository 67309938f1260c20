-- The violation of an actor that has no live grant for this; null if one covers it. Several grants are alternatives,
-- and can_admin implies every permission but can_act_for. The facts list the grants that came near, with the scope keys
-- that did not match.
create or replace function rules.missing_permission(
  actor_id   text,
  permission text,
  client     rules.facts default null,   -- null: the request is not about one client
  to_stage   text default null,
  flag       text default null,
  person     text default null           -- of can_act_for: the actor that the caller acts for
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
    from rules.live_grants(actor_id) g
    where (g.permission = permission or (g.permission = 'can_admin' and person is null))
      and (g.scope is null or rules.scope_mismatches(g.id, g.scope, client, to_stage, flag, person) is null)
      and (person is null or rules.includes_person(g.scope, person))
  ) then
    return null;
  end if;

  select jsonb_agg(
    jsonb_build_object(
      'permission_id', g.id,
      'permission', g.permission,
      'scope_keys', rules.scope_mismatches(g.id, g.scope, client, to_stage, flag, person)
    )
    order by g.id
  )
  into v_near_misses
  from rules.live_grants(actor_id) g
  where (g.permission = permission or (g.permission = 'can_admin' and person is null))
    and (person is null or rules.includes_person(g.scope, person));

  return ('permission_missing', jsonb_strip_nulls(jsonb_build_object(
    'actor_id', actor_id,
    'permission', permission,
    'scope_key', v_near_misses #> '{0,scope_keys,0}',
    'grants', v_near_misses
  )))::rules.violation;
end
$$;

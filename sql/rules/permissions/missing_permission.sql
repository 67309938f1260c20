-- The refusal of an actor that no live grant lets do this, or null.
create or replace function rules.missing_permission(
  actor_id     text,
  permission   text,
  client_id    bigint default null,
  from_stage   text default null,
  to_stage     text default null,
  flag         text default null,
  service_tier text default null
)
returns jsonb
language plpgsql
stable
as $$
declare
  v_near_misses jsonb;
begin
  if exists (
    select from rules.covering_grants(actor_id, permission, client_id, from_stage, to_stage, flag, service_tier)
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
  from rules.grants_of_permission(actor_id, permission) g;

  return rules.refusal('permission_missing', jsonb_strip_nulls(jsonb_build_object(
    'actor_id', actor_id,
    'permission', permission,
    'scope_key', v_near_misses #> '{0,scope_keys,0}',
    'grants', v_near_misses
  )));
end
$$;

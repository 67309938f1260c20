create or replace function api.people()
returns api."application/json"
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  -- grants and tokens are for admins
  v_is_admin constant boolean := rules.missing_permission(rules.current_actor(), 'can_admin') is null;
begin
  return (
    with found as (
      select c.stage_owner as actor_id, 1 as owns, 0 as collaborates, 0 as reviews
      from public.clients c
      where c.stage_owner is not null
      union all
      select a.actor_id, 0, 1, 0
      from public.clients c
      cross join unnest(c.stage_collaborators) as a (actor_id)
      where c.stage_collaborators <> '{}'
      union all
      select a.actor_id, 0, 0, 1
      from public.clients c
      cross join unnest(c.eligible_reviewers) as a (actor_id)
      where c.eligible_reviewers <> '{}'
      union all
      select g.actor_id, 0, 0, 0 from public.agent_permissions g where g.revoked_at is null
      union all
      select t.actor_id, 0, 0, 0
      from public.actor_tokens t
      where t.revoked_at is null and (t.expires_at is null or t.expires_at > now())
    ),
    known as (
      select f.actor_id, sum(f.owns) as owns, sum(f.collaborates) as collaborates, sum(f.reviews) as reviews
      from found f
      where f.actor_id not like 'system:%'
      group by f.actor_id
      order by f.actor_id
      limit 1000
    )
    select json_build_object(
      'people', coalesce(json_agg(
        jsonb_build_object(
          'actor_id', k.actor_id, 'owns', k.owns, 'collaborates', k.collaborates, 'reviews', k.reviews
        ) || case
          when v_is_admin then jsonb_build_object(
            'role', case when not granted.are_scoped then (
              select r.role
              from rules.role_catalog() r
              where r.permissions = case
                -- it implies the others
                when 'can_admin' = any (granted.permissions) then array['can_admin']
                else granted.permissions
              end
            ) end,
            'permissions', granted.permissions,
            'tokens', signed_in.tokens,
            'last_seen_at', signed_in.last_seen_at
          )
          else '{}'
        end
        order by k.actor_id
      ), '[]'),
      'roles', (select json_agg(json_build_object('role', r.role, 'description', r.description)) from rules.role_catalog() r)
    )
    from known k
    cross join lateral (
      select
        coalesce(array_agg(distinct g.permission order by g.permission), '{}') as permissions,
        coalesce(bool_or(g.scope is not null), false) as are_scoped
      from rules.live_grants(k.actor_id) g
    ) as granted
    cross join lateral (
      select
        count(*) filter (where t.revoked_at is null and (t.expires_at is null or t.expires_at > now())) as tokens,
        max(t.last_used_at) as last_seen_at
      from public.actor_tokens t
      where t.actor_id = k.actor_id
    ) as signed_in
  );
end
$$;

comment on function api.people() is
'List the people and agents of the firm: every actor that has a client, a grant or a token.
Any actor can read. Returns {people, roles}: of at most 1,000 people the actor_id and for how many clients each is the owner (owns),
a collaborator (collaborates) and a reviewer (reviews). For admins also role (null: other permissions than a role has, or
permissions with a scope), permissions, tokens (how many are valid) and last_seen_at. roles: each role with a description.';

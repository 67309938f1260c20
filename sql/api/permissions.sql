create or replace function api.permissions(
  actor_id        text default null,
  include_revoked boolean default false,
  after           bigint default null,
  page_size       integer default 100
)
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  v_grants jsonb;
begin
  -- GUARD
  perform rules.require_permission(rules.current_actor(), 'can_admin');
  page_size := rules.checked_page_size(page_size);
  perform rules.require_short('actor_id', actor_id);

  -- ACT
  select coalesce(jsonb_agg(to_jsonb(g.*) order by g.id), '[]')
  into v_grants
  from (
    select g.*
    from public.agent_permissions g
    where (permissions.actor_id is null or g.actor_id = permissions.actor_id)
      and (include_revoked or g.revoked_at is null)
      and (after is null or g.id > after)
    order by g.id
    limit page_size + 1
  ) g;

  return jsonb_build_object(
    'permissions', v_grants - page_size,
    'next_after', case when jsonb_array_length(v_grants) > page_size then v_grants -> (page_size - 1) -> 'id' end
  );
end
$$;

comment on function api.permissions(text, boolean, bigint, integer) is
'List the grants.
Only admins can read. actor_id: of one actor only; at most 200 characters. include_revoked: also the revoked ones.
after: the last id of the page before. page_size: 1 to 1,000.
Returns {permissions, next_after}; next_after is null on the last page.
Errors: permission_missing (403); text_too_long, page_size_not_valid (422).';

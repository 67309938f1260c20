-- LOCK that serializes changes of grants: it locks the live, unscoped can_admin grants, which only the stored logic can
-- access. Returns how many there are.
create or replace function rules.lock_admins()
returns bigint
language plpgsql
volatile
as $$
#variable_conflict use_variable
begin
  return (
    select count(*)
    from (
      select g.id
      from public.agent_permissions g
      where g.permission = 'can_admin' and g.scope is null and g.revoked_at is null
      order by g.id
      for no key update
    ) as live
  );
end
$$;

-- LOCK for changes of grants, one after the other: the live grants of those who may grant, which only the stored logic
-- reaches. Answers how many there are; the scoped ones do not count, for they may not grant everything.
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

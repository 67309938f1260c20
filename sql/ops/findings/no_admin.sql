-- No unscoped admin remains, so no actor can grant everything.
create or replace function ops.no_admin()
returns setof ops.finding
language plpgsql
stable
as $$
begin
  if not exists (
    select
    from public.agent_permissions p
    where p.permission = 'can_admin'
      and p.scope is null
      and p.revoked_at is null
  ) then
    return next (
      'no_admin', 'error', '{}',
      'no actor has can_admin without a scope: no one can grant, override or roll back',
      'as the owner of the tables: insert into public.agent_permissions …'
    )::ops.finding;
  end if;
end
$$;

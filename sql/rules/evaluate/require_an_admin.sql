-- AFTER UPDATE or DELETE STATEMENT on agent_permissions: at least one unscoped admin must
-- remain.
create or replace function rules.require_an_admin()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
begin
  if rules.lock_admins() = 0 then
    perform rules.refuse('last_admin');
  end if;
  return null;
end
$$;

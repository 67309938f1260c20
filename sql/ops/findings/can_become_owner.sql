-- A login that can become atlas_owner or atlas_writer could write history as any actor. A role that created ours can
-- grant them to itself; deployers need that, so it is only a notice.
create or replace function ops.can_become_owner()
returns setof ops.finding
language plpgsql
stable
as $$
declare
  v_modern constant boolean := current_setting('server_version_num')::integer >= 160000;
begin
  return query
    select
      'can_become_owner',
      case when p.at_once then 'error' else 'notice' end,
      jsonb_build_object('login', p.rolname, 'role', p.role, 'at_once', p.at_once),
      case
        when p.at_once then format('login %s can become %s, whose rights are the stored logic''s alone', p.rolname, p.role)
        else format('login %s can grant itself %s: it deploys, or should not', p.rolname, p.role)
      end,
      format('revoke %s from %I', case when p.at_once then p.role else 'admin option for ' || p.role end, p.rolname)
    from (
      select
        l.rolname,
        r.rolname as role,
        pg_has_role(l.oid, r.oid, case when v_modern then 'usage, set' else 'member' end) as at_once,
        pg_has_role(l.oid, r.oid, 'member with admin option') or not v_modern and l.rolcreaterole as by_itself
      from pg_catalog.pg_roles l
      cross join pg_catalog.pg_roles r
      where l.rolcanlogin
        and not l.rolsuper
        and r.rolname in ('atlas_owner', 'atlas_writer')
    ) as p
    where p.at_once
      or p.by_itself
    order by p.rolname, p.role;
end
$$;

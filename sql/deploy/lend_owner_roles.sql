-- Make the deployer a member of the owner roles until the transaction ends (return_owner_roles.sql).
-- A superuser, and a member that a superuser made on purpose, needs no grant.
-- Before PostgreSQL 16, every membership includes both using a role's rights and switching to it.
do $$
declare
  v_modern constant boolean := current_setting('server_version_num')::integer >= 160000;
  v_role   text;
begin
  for v_role in
    select r.rolname
    from pg_catalog.pg_roles as r
    where r.rolname in ('atlas_owner', 'atlas_writer')
      and not (
        pg_catalog.pg_has_role(current_user, r.oid, 'usage')
        and case when v_modern then pg_catalog.pg_has_role(current_user, r.oid, 'set') else true end
      )
  loop
    execute format('grant %I to %I', v_role, current_user)
      || case when v_modern then ' with inherit true, set true' else '' end;
  end loop;
end
$$;

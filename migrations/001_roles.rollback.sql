-- If another database of this server uses one of the roles, all of them stay: its logins need the others.
do $$
declare
  v_role  text;
  v_roles constant text[] := array[
    'atlas_authenticator', 'atlas_operator', 'atlas_cron', 'atlas_api', 'atlas_anon', 'atlas_writer', 'atlas_owner'
  ];
  v_used  constant boolean := exists (
    select
    from pg_catalog.pg_shdepend as d
    join pg_catalog.pg_roles as r on r.oid = d.refobjid
    where d.refclassid = 'pg_catalog.pg_authid'::regclass
      and r.rolname = any(v_roles)
      and d.dbid not in (0, (select b.oid from pg_catalog.pg_database as b where b.datname = current_database()))
  );
begin
  foreach v_role in array v_roles loop
    if to_regrole(v_role) is null then
      continue;
    end if;
    begin
      execute format('drop owned by %I', v_role);  -- in this database only, its rights on other objects too
    exception when dependent_objects_still_exist then
      raise notice 'role % owns something that is still used, and stays', v_role;
    end;
    begin
      if v_used then
        raise dependent_objects_still_exist;
      end if;
      execute format('drop role %I', v_role);
    exception when dependent_objects_still_exist then
      raise notice 'role % is still used by another database and stays', v_role;
    end;
  end loop;
  delete from public.atlas_migrations where id = '001_roles';
end
$$;

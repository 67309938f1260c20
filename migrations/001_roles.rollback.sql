-- PostgreSQL refuses to drop a role that another database of this server still uses. Such a role stays.
do $$
declare
  v_role text;
begin
  foreach v_role in array array[
    'atlas_authenticator', 'atlas_operator', 'atlas_cron', 'atlas_api', 'atlas_anon', 'atlas_writer', 'atlas_owner'
  ] loop
    if to_regrole(v_role) is null then
      continue;
    end if;
    begin
      execute format('drop owned by %I', v_role);  -- in this database only, its rights on other objects too
    exception when dependent_objects_still_exist then
      raise notice 'role % owns something that is still used, and stays', v_role;
    end;
    begin
      execute format('drop role %I', v_role);
    exception when dependent_objects_still_exist then
      raise notice 'role % is still used by another database and stays', v_role;
    end;
  end loop;
  delete from public.atlas_migrations where id = '001_roles';
end
$$;

-- Our objects in the catalog, one row per aspect. A deploy stores them in public.stage_installation. `ours`: the object
-- is owned by one of the stored logic's owners, or is one of our tables. A deploy doesn't store other objects that have
-- such a name. `words`: the names in it that a migration must have created.
create or replace function ops.installation()
returns table (
  kind      text,
  name      text,
  aspect    text,
  value     text,
  relation  text,
  mend      text,
  ours      boolean,
  words     text[]
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
-- render the catalog the same way under every setting of the database or session
set datestyle = 'ISO, YMD'
set intervalstyle = 'postgres'
set timezone = 'UTC'
set quote_all_identifiers = off
set extra_float_digits = 1
set bytea_output = 'hex'
as $$
#variable_conflict use_variable
declare
  v_schemas constant oid[] := array(
    select n.oid from pg_catalog.pg_namespace n where n.nspname in ('rules', 'api', 'jobs', 'ops')
  );
  v_owners  constant oid[] := array(
    select r.oid from pg_catalog.pg_roles r where r.rolname in ('atlas_owner', 'atlas_writer')
  );
  v_roles   constant oid[] := array(
    select r.oid
    from pg_catalog.pg_roles r
    where r.rolname in (
      'atlas_owner', 'atlas_writer', 'atlas_authenticator', 'atlas_anon', 'atlas_api', 'atlas_cron', 'atlas_operator'
    )
  );
  v_tables  constant oid[] := array(
    select c.oid
    from pg_catalog.pg_class c
    where c.relnamespace = 'public'::regnamespace
      and c.relkind in ('r', 'p')
      and (
        c.relname in ('clients', 'stage_deploys')
        or exists (select from public.stage_installation i where i.relation = c.oid::regclass::text)
        or exists (select from aclexplode(c.relacl) a where a.grantee = any(v_owners))
      )
  );
begin
  return query
    select * from ops.installed_roles(v_roles)
    union all
    select * from ops.installed_logic(v_schemas, v_owners, v_roles)
    union all
    select * from ops.installed_rights(v_tables, v_roles)
    union all
    select * from ops.installed_tables(v_tables, v_schemas);
end
$$;

-- Give the owner roles the schema public by name: their rights outlast a host that takes it from PUBLIC.
do $$
begin
  if to_regrole('atlas_owner') is null or exists (
    select
    from pg_catalog.pg_namespace as n
    cross join lateral aclexplode(n.nspacl) as a
    where n.nspname = 'public' and a.grantee = to_regrole('atlas_writer') and a.privilege_type = 'USAGE'
  ) then
    return;
  end if;
  if has_schema_privilege('public', 'usage with grant option') then
    grant usage on schema public to atlas_owner, atlas_writer;
  elsif not has_schema_privilege('atlas_owner', 'public', 'usage') then
    raise insufficient_privilege using
      message = 'the schema public is closed to our roles; a superuser has to run once:'
        ' grant usage on schema public to atlas_owner, atlas_writer';
  end if;
end
$$;

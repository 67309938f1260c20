-- The rights that an access list gives to PUBLIC and these roles, as text, without those of the owner.
create or replace function ops.rights(
  acl    aclitem[],
  owner  oid,
  roles  oid[]
)
returns text
language plpgsql
stable
as $$
#variable_conflict use_variable
begin
  return (
    select coalesce(
      string_agg(
        format('%s: %s', case a.grantee when 0 then 'PUBLIC' else a.grantee::regrole::text end, lower(a.privilege_type)),
        ', '
        order by a.grantee = 0 desc, a.grantee::regrole::text, a.privilege_type
      ),
      'nobody else'
    )
    from aclexplode(acl) as a
    where a.grantee <> owner
      and (a.grantee = 0 or a.grantee = any(roles))
  );
end
$$;

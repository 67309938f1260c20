-- Tables that a deploy alters and the deployer doesn't own: table, owner, deployer.
select
  quote_ident(c.relname),
  c.relowner::regrole::text,
  quote_ident(current_user)
from pg_catalog.pg_class as c
where c.relnamespace = 'public'::regnamespace
  and c.relkind = 'r'
  and (
    c.relname in ('clients', 'stage_deploys', 'stage_installation')
    or exists (
      select from aclexplode(c.relacl) as a
where a.grantee::regrole::text in ('atlas_owner', 'atlas_writer')
    )
  )
  and not pg_catalog.pg_has_role(current_user, c.relowner, 'usage')
order by c.relname;

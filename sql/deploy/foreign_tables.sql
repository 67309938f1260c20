-- What to do about tables that a deploy alters and the deployer doesn't own; no row if there are none.
select
  format(
    '%s can''t alter tables that belong to %s: deploy as their owner or as a superuser, or run as a superuser: %s',
    quote_ident(current_user),
    string_agg(distinct c.relowner::regrole::text, ', '),
    string_agg(format('alter table public.%I owner to %I', c.relname, current_user), '; ' order by c.relname)
  )
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
having count(*) > 0;

-- This database, if PUBLIC can create temporary objects in it: the statement that revokes that, if the deployer can run
-- it, and what to report.
select
  case when d.may_revoke then d.statement end,
  case
    when d.may_revoke
      then format(
        'revoked the right to create temporary tables in %s from PUBLIC;'
        ' a login that needs it: grant temporary on database %I to …',
        d.datname, d.datname
      )
    else
      format(
        'PUBLIC can create temporary tables in %s; %s or a superuser should run: %s', d.datname, d.owner, d.statement
      )
  end
from (
  select
    b.datname, b.datacl, b.datdba,
    b.datdba::regrole::text as owner,
    pg_catalog.pg_has_role(current_user, b.datdba, 'usage') as may_revoke,
    format('revoke temporary on database "%s" from public', replace(b.datname, '"', '""')) as statement
  from pg_catalog.pg_database as b
  where b.datname = current_database()
) as d
where exists (
  select from aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) as a
where a.grantee = 0 and a.privilege_type = 'TEMPORARY'
);

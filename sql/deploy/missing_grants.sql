-- What a superuser has to run if the deployer can't grant itself all of our roles; no row if it can. $1: our roles.
select
  case
    when current_setting('server_version_num')::integer < 160000
      then format('a superuser has to run once: alter role %I createrole', current_user)
    else
      format(
        'these roles were created for another database of this server; a superuser has to run once:'
        ' grant %s to %I with admin true, inherit false, set false',
        string_agg(r.rolname, ', ' order by r.rolname),
        current_user
      )
  end
from pg_catalog.pg_roles as r
where r.rolname = any($1::text[])
  and not pg_catalog.pg_has_role(current_user, r.oid, 'member with admin option')
having count(*) > 0;

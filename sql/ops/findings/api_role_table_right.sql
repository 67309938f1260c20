-- An API role has a right on a table, so HTTP callers can bypass the rules.
create or replace function ops.api_role_table_right()
returns setof ops.finding
language plpgsql
stable
as $$
begin
  return query
    select
      'api_role_table_right', 'error',
      jsonb_build_object('role', r.rolname, 'relation', c.oid::regclass::text),
      format('role %s has rights on %s: HTTP callers could bypass the rules', r.rolname, c.oid::regclass),
      'revoke them: revoke all on … from …, public'
    from pg_catalog.pg_class c
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    cross join pg_catalog.pg_roles r
    where c.relkind in ('r', 'p', 'v', 'm', 'f')
      and left(n.nspname, 3) <> 'pg_'
      and n.nspname <> 'information_schema'
      and r.rolname in ('atlas_anon', 'atlas_api', 'atlas_authenticator')
      and has_table_privilege(r.oid, c.oid, 'select, insert, update, delete, truncate, references, trigger')
    order by 3;
end
$$;

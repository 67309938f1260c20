-- The logins that can act as any actor. Some should; the list lets an admin check all of them.
create or replace function ops.operator()
returns setof ops.finding
language plpgsql
stable
as $$
begin
  return query
    select
      'operator', 'notice', jsonb_build_object('login', l.rolname),
      format('login %s can act as any actor', l.rolname),
      'if it should not: revoke atlas_operator from …'
    from pg_catalog.pg_roles l
    where l.rolcanlogin
      and not l.rolsuper
      and rules.is_operator(l.rolname)
    order by l.rolname;
end
$$;

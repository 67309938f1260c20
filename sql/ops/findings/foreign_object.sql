-- On our own tables: foreign triggers, rules and policies, and roles other than ours that can create triggers.
create or replace function ops.foreign_object()
returns setof ops.finding
language plpgsql
stable
as $$
begin
  return query
    with ours as (
      select c.oid, c.relname, c.relowner, c.relacl
      from pg_catalog.pg_class c
      where c.oid in (select to_regclass(i.relation) from public.stage_installation i where i.relation is not null)
    )
    select
      'foreign_object', 'notice', jsonb_build_object('relation', f.relation, 'object', f.object),
      format('%s on %s is not ours', f.object, f.relation),
      'its author can see, change or keep back what is written there: keep it only if you trust it'
    from (
      select o.relname as relation, format('trigger %s', t.tgname) as object
      from pg_catalog.pg_trigger t
      join ours o on o.oid = t.tgrelid
      join pg_catalog.pg_proc p on p.oid = t.tgfoid
      where not t.tgisinternal
        and o.relname not in ('clients', 'atlas_migrations')
        and p.proowner::regrole::text not in ('atlas_owner', 'atlas_writer')
      union all
      select o.relname, format('rule %s', r.rulename)
      from pg_catalog.pg_rewrite r
      join ours o on o.oid = r.ev_class
      union all
      select o.relname, format('policy %s', p.polname)
      from pg_catalog.pg_policy p
      join ours o on o.oid = p.polrelid
      where p.polname <> 'atlas_stage'
        and (o.relname <> 'clients' or not p.polpermissive)
      union all
      select o.relname, format('the right of %s to make triggers', a.grantee::regrole)
      from ours o
      cross join lateral aclexplode(o.relacl) a
      where a.privilege_type = 'TRIGGER'
        and a.grantee <> o.relowner
        and a.grantee <> 0
        and a.grantee::regrole::text not in ('atlas_owner', 'atlas_writer')
    ) as f
    order by 3;
end
$$;

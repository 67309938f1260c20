-- A host trigger on `clients` that isn't SECURITY DEFINER. Within our calls it runs with the rights and search path of
-- atlas_writer, which can access nothing but `clients`. It works for its author and fails here.
create or replace function ops.host_trigger()
returns setof ops.finding
language plpgsql
stable
as $$
begin
  return query
    select
      'host_trigger', 'notice',
      jsonb_build_object('trigger', t.tgname, 'function', p.oid::regprocedure::text),
      format(
        'trigger %s on clients runs %s with the rights and the search_path of our calls: what it names must be'
        ' qualified, and open to atlas_writer',
        t.tgname, p.oid::regprocedure
      ),
      format(
        'alter function %s security definer; alter function %s set search_path = pg_catalog, public, pg_temp;',
        p.oid::regprocedure, p.oid::regprocedure
      )
    from pg_catalog.pg_trigger t
    join pg_catalog.pg_proc p on p.oid = t.tgfoid
    join pg_catalog.pg_namespace n on n.oid = p.pronamespace
    where t.tgrelid = 'public.clients'::regclass
      and not t.tgisinternal
      and t.tgenabled <> 'D'
      and n.nspname not in ('rules', 'pg_catalog')
      and not (p.prosecdef and exists (select from unnest(p.proconfig) as c (line) where c.line like 'search_path=%'))
    order by t.tgname;
end
$$;

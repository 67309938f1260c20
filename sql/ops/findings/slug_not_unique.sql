-- Nothing keeps two clients from having the same slug, so a path with it could mean either: it is refused then.
create or replace function ops.slug_not_unique()
returns setof ops.finding
language plpgsql
stable
as $$
begin
  if not exists (
    select
    from pg_catalog.pg_index i
    join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attname = 'slug'
    where i.indrelid = 'public.clients'::regclass
      and i.indisunique
      and i.indisvalid
      and i.indpred is null
      and i.indnkeyatts = 1
      and i.indkey[0] = a.attnum
  ) then
    return next (
      'slug_not_unique', 'warning', '{}',
      'clients can have the same slug, and a request that names one by it is refused',
      'make them differ, then: alter table public.clients add unique (slug)'
    )::ops.finding;
  end if;
end
$$;

-- A collation whose version differs from the one that the indexes were built with: the system's library has changed,
-- for example with another base image. Indexes on text can then miss rows and accept duplicates.
create or replace function ops.collation_changed()
returns setof ops.finding
language plpgsql
stable
as $$
begin
  return query
    select
      'collation_changed', 'error',
      jsonb_build_object('collation', v.name, 'built_with', v.recorded, 'found', v.actual),
      format(
        'the sort order of %s has changed: built with version %s, the server has %s. Indexes on text may be corrupt',
        v.name, v.recorded, coalesce(v.actual, 'none')
      ),
      format(
        'while no program writes: reindex database %I; %s;', current_database(),
        -- a system without versions, such as Alpine Linux
        case when v.actual is null then v.forget else format('alter %s refresh %sversion', v.name, v.word) end
      )
    from (
      select
        format('database %I', d.datname) as name, d.datcollversion as recorded,
        pg_database_collation_actual_version(d.oid) as actual, 'collation ' as word,
        format('update pg_database set datcollversion = null where oid = %s', d.oid) as forget
      from pg_catalog.pg_database d
      where d.datname = current_database()
      union all
      select
        format('collation %s', c.oid::regcollation), c.collversion, pg_collation_actual_version(c.oid), '',
        format('update pg_collation set collversion = null where oid = %s', c.oid)
      from pg_catalog.pg_collation c
      where exists (
        select
        from pg_catalog.pg_index i
        where c.oid = any (i.indcollation)
      )
    ) v
    where v.recorded is distinct from v.actual
      and v.recorded is not null
    order by 4;
end
$$;

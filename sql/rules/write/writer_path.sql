-- The search path of the functions that write `clients`, quoted, without pg_temp at its end: the catalog, then the
-- host's path. A host trigger runs with it inside our calls, so names that it doesn't qualify are found as in the
-- host's sessions. grants.sql sets it at each deploy.
create or replace function rules.writer_path()
returns text[]
language plpgsql
stable
as $$
#variable_conflict use_variable
begin
  return array['pg_catalog'] || array(
    select quote_ident(s.name)
    from unnest(string_to_array(rules.path_of(), ',') || 'public'::text) with ordinality as p (entry, nth)
    cross join lateral (select btrim(p.entry, ' "') as name) s
    join pg_catalog.pg_namespace n on n.nspname = s.name
    where s.name !~ '^pg_'
      and s.name <> all (array['rules', 'api', 'jobs', 'ops'])
    group by s.name
    order by min(p.nth)
  );
end
$$;

create or replace function api.openapi()
returns api."application/json"
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  v_about constant text := pg_catalog.obj_description('api'::regnamespace, 'pg_namespace');
  v_words constant jsonb := rules.openapi_words()
    || jsonb_build_object('job', array(select c.job from jobs.catalog() c order by c.job));
  v_paths jsonb;
begin
  with functions as (
    select p.oid, p.proname, case
      when p.provolatile = 'v' or exists (
        select from unnest(p.proargtypes::regtype[]) as a (type) where a.type::text like '%[]'
      ) then 'post'
      else 'get'
    end as method
    from pg_catalog.pg_proc p
    where p.pronamespace = 'api'::regnamespace
      and (p.pronargs = 0 or p.proargnames is not null)
  ),
  operations as (
    select
      '/rpc/' || f.proname as path,
      f.method,
      rules.openapi_operation(f.oid, f.proname, '{}', f.method, v_words) as operation
    from functions f
    union all
    select
      named.path,
      lower(m.key),
      rules.openapi_operation(
        f.oid, 'api_' || f.proname, by_path.names, lower(m.key), v_words, m.value ->> 'limit'
      )
    from jsonb_each(rules.paths()) as p
    cross join lateral jsonb_each(p.value) as m
    join functions f on f.proname = m.value ->> 'called'
    cross join lateral (
      select array(select jsonb_array_elements_text(m.value -> 'by_path')) as names
    ) as by_path
    cross join lateral (
      select string_agg(part.text || coalesce('{' || by_path.names[part.nth] || '}', ''), '' order by part.nth) as path
      from unnest(string_to_array(p.key, '*')) with ordinality as part (text, nth)
    ) as named
    where p.key <> '/'
  )
  select jsonb_object_agg(o.path, o.methods)
  into v_paths
  from (
    select o.path, jsonb_object_agg(o.method, o.operation) as methods from operations o group by o.path
  ) as o;

  return jsonb_build_object(
    'openapi', '3.0.3',
    'info', jsonb_build_object(
      'title', split_part(v_about, E'\n', 1),
      'description', substr(v_about, length(split_part(v_about, E'\n', 1)) + 2),
      'version', '1'
    ),
    'servers', jsonb '[{"url": "/"}]',
    'security', jsonb '[{"token": []}]',
    'paths', v_paths,
    'components', jsonb_build_object(
      'schemas', rules.openapi_schemas(),
      'securitySchemes', jsonb '{"token": {"type": "http", "scheme": "bearer"}}'
    )
  );
end
$$;

comment on function api.openapi() is
'Describe the API as an OpenAPI 3.0 document, with the words as they are now.
The gateway answers GET / with it, without a token. Reads with only simple arguments are described as GET, other calls as POST.
Returns the document.';

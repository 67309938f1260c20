-- The OpenAPI operation of a function of `api`, from its arguments and its COMMENT: the first line is the summary, and
-- after "Errors:" are the rules with their statuses.
create or replace function rules.openapi_operation(
  called   oid,
  id       text,     -- of the operation
  by_path  text[],   -- the arguments that the path gives
  method   text,     -- get and delete have no body; only get has a query
  words    jsonb,    -- rules.openapi_words(), read once
  limited  text default null   -- the argument that the query calls limit
)
returns jsonb
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_function  record;
  v_comment   constant text := pg_catalog.obj_description(called, 'pg_proc');
  v_arguments record;
begin
  select p.proname, p.proargnames, p.proargtypes::regtype[] as types, p.pronargs - p.pronargdefaults as needed
  into v_function
  from pg_catalog.pg_proc p
  where p.oid = called;

  select
    jsonb_object_agg(a.name, a.schema) filter (where not a.is_path) as properties,
    jsonb_agg(a.name order by a.nth) filter (where not a.is_path and a.is_needed) as required,
    jsonb_agg(jsonb_build_object(
      'name', case when a.name = limited then 'limit' else a.name end,
      'in', case when a.is_path then 'path' else 'query' end,
      'required', a.is_path or a.is_needed,
      'schema', a.schema
    ) order by a.nth) filter (where a.is_path or method = 'get') as parameters
  into v_arguments
  from (
    select
      n.name, n.nth, n.name = any (by_path) as is_path, n.nth <= v_function.needed as is_needed,
      rules.openapi_argument(n.name, n.type, words) as schema
    from unnest(v_function.proargnames, v_function.types) with ordinality as n (name, type, nth)
    -- PostgreSQL's notation of arrays can't be described: a POST takes these
    where method <> 'get' or n.type::text not like '%[]'
  ) as a;

  return jsonb_strip_nulls(jsonb_build_object(
    'operationId', id,
    'summary', split_part(v_comment, E'\n', 1),
    'description', substr(v_comment, length(split_part(v_comment, E'\n', 1)) + 2),
    'security', case when v_function.proname in ('health', 'accept_invite') then jsonb '[]' end,
    'parameters', coalesce(v_arguments.parameters, '[]') || case
      when strpos(v_comment, 'idempotency_key_reused') > 0
        then jsonb '[{"name": "Idempotency-Key", "in": "header", "schema": {"type": "string", "maxLength": 200}}]'
      else '[]'
    end,
    'requestBody', case when method in ('post', 'patch') then jsonb_build_object(
      'required', v_arguments.required is not null,
      'content', jsonb_build_object('application/json', jsonb_build_object('schema', jsonb_strip_nulls(jsonb_build_object(
        'type', 'object', 'additionalProperties', false,
        'required', v_arguments.required, 'properties', coalesce(v_arguments.properties, '{}')
      ))))
    ) end,
    'responses', rules.openapi_responses(v_comment)
  ));
end
$$;

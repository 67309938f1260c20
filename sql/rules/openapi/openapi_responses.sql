-- The OpenAPI responses of a function, from its COMMENT.
create or replace function rules.openapi_responses(comment text)
returns jsonb
language sql
stable
as $$
  select jsonb_build_object(
    '200', jsonb_build_object(
      'description', coalesce('Returns ' || returned.text, 'The answer.'),
      'content', jsonb_build_object('application/json', jsonb_build_object('schema', case
        when returned.text like '{client, history, changed, replayed}%' then jsonb '{"$ref": "#/components/schemas/Change"}'
        when returned.text like '{client, history}%' then jsonb '{"type": "object", "properties": {
          "client": {"$ref": "#/components/schemas/Client"},
          "history": {"nullable": true, "allOf": [{"$ref": "#/components/schemas/HistoryRow"}]}
        }}'
        when returned.text like '{clients, next_after%' then '{"type": "object", "properties": {
          "clients": {"type": "array", "items": {"$ref": "#/components/schemas/Client"}}
        }}'
        when returned.text like '{history, next_before_version}%' then '{"type": "object", "properties": {
          "history": {"type": "array", "items": {"$ref": "#/components/schemas/HistoryRow"}}
        }}'
        when returned.text like '{%' then '{"type": "object"}'
        else '{}'
      end))
    ),
    -- what the gateway and the door answer
    'default', jsonb '{
      "description": "An error.",
      "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    }'
  ) || coalesce(
    (
      select jsonb_object_agg(e.status, jsonb_build_object(
        'description', e.rules,
        'content', jsonb '{"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}'
      ))
      from (
        select found.part[2] as status, string_agg(regexp_replace(found.part[1], '[[:space:]]+', ' ', 'g'), ', ') as rules
        from regexp_matches(
          split_part(comment, E'\nErrors:', 2), '([a-z_]+(?:,[[:space:]]+[a-z_]+)*)[[:space:]]+[(]([0-9]{3})[)]', 'g'
        ) as found (part)
        group by 1
      ) as e
    ),
    '{}'
  )
  from (select nullif(split_part(split_part(comment, E'\nReturns ', 2), E'\nErrors:', 1), '') as text) as returned
$$;

-- The schemas of the OpenAPI document: a client, a history row, what a change returns, and an error. The columns are
-- those of the types and the view that answers are made of.
create or replace function rules.openapi_schemas()
returns jsonb
language sql
stable
as $$
  with columns as (
    select
      case a.attrelid when 'rules.shown_history'::regclass then 'HistoryRow' else 'Client' end as of,
      a.attname as name,
      rules.openapi_type(a.atttypid::regtype::text) as schema,
      a.attname in ('id', 'client_id', 'version', 'name', 'slug', 'stage', 'occurred_at', 'actor_id', 'person', 'trigger_type') as is_there
    from pg_catalog.pg_attribute a
    where a.attnum > 0
      and not a.attisdropped
      and a.attname <> 'fields'
      and a.attrelid in (
        'rules.shown_history'::regclass, 'rules.client_state'::regclass, 'rules.client_fields'::regclass
      )
    union all
    values
      ('Client', 'name', jsonb '{"type": "string"}', true),
      ('Client', 'slug', '{"type": "string"}', true),
      ('Client', 'age_days', '{"type": "integer"}', true),
      ('Client', 'attention', '{"type": "string", "enum": ["stuck", "late", "waiting_on_client", null]}', false)
  )
  select jsonb_object_agg(s.of, jsonb_build_object(
    'type', 'object', 'required', s.required, 'properties', s.properties
  )) || jsonb '{
    "Change": {
      "type": "object",
      "required": ["client", "changed", "replayed"],
      "properties": {
        "client": {"$ref": "#/components/schemas/Client"},
        "history": {"nullable": true, "allOf": [{"$ref": "#/components/schemas/HistoryRow"}]},
        "changed": {"type": "boolean", "description": "false: no change was needed"},
        "replayed": {"type": "boolean", "description": "true: the first answer to this idempotency key"}
      }
    },
    "Error": {
      "type": "object",
      "required": ["code", "message"],
      "properties": {
        "code": {"type": "string", "example": "PT409", "description": "PT and the status"},
        "message": {"type": "string", "description": "the same for each rule"},
        "details": {"type": "string", "nullable": true, "description": "JSON: the rule, a sentence for a person (text), the facts, and refusals with every rule that failed"},
        "hint": {"type": "string", "nullable": true, "description": "what to do next"}
      }
    }
  }'
  from (
    select
      c.of,
      jsonb_agg(c.name order by c.name) filter (where c.is_there) as required,
      jsonb_object_agg(c.name, c.schema || case when c.is_there then '{}' else jsonb '{"nullable": true}' end) as properties
    from columns c
    group by c.of
  ) as s
$$;

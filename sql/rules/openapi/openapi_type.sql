-- The JSON schema of values of a type.
create or replace function rules.openapi_type(type text)
returns jsonb
language sql
immutable
return case type
  when 'bigint' then jsonb '{"type": "integer", "format": "int64"}'
  when 'integer' then '{"type": "integer", "format": "int32"}'
  when 'boolean' then '{"type": "boolean"}'
  when 'timestamp with time zone' then '{"type": "string", "format": "date-time"}'
  when 'date' then '{"type": "string", "format": "date"}'
  when 'uuid' then '{"type": "string", "format": "uuid"}'
  when 'text[]' then '{"type": "array", "items": {"type": "string"}}'
  when 'jsonb' then '{"type": "object"}'
  else '{"type": "string"}'
end;

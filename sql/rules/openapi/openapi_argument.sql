-- The JSON schema of an argument: its type, the words that it can have, and an example. SQL, so that the planner
-- inlines it.
create or replace function rules.openapi_argument(
  argument text,
  type     regtype,
  words    jsonb     -- rules.openapi_words(), read once
)
returns jsonb
language sql
stable
as $$
  select case
    when words ? argument then jsonb_build_object('type', 'string', 'enum', words -> argument)
    when argument = 'items' then '{"type": "array", "minItems": 1, "maxItems": 1000, "items": {"type": "object"}}'
    when type::text like '%[]' then jsonb_build_object('type', 'array', 'items', rules.openapi_type(rtrim(type::text, '[]')))
    else rules.openapi_type(type::text)
  end || coalesce(jsonb_build_object('example', nullif(jsonb '{
    "client_id": 1, "client_ids": [1, 2], "expected_version": 3, "history_id": 7, "page_size": 50,
    "to_stage": "eom_close", "flag": "client_blocking", "reason": "the statements arrived",
    "actor_id": "user:ana", "from_actor_id": "user:ana", "to_actor_id": "user:ben", "owner": "user:ana",
    "name": "Birch Bakery", "slug": "birch-bakery", "external_id": "Ev024BE7LH", "on_behalf_of": "user:ana",
    "month": "2026-10", "items": [{"client_id": 1}]
  }' -> argument, 'null')), '{}')
$$;

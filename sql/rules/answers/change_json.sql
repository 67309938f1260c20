-- The form of what a write answers.
create or replace function rules.change_json(
  client  json,
  history json  -- null when nothing changed
)
returns json
language sql
stable
as $$
  select json_build_object('client', client, 'history', history, 'changed', history is not null, 'replayed', false)
$$;

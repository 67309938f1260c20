-- A new client with the column defaults of `clients`. A test compares the two.
create or replace function rules.default_client()
returns rules.client_state
language sql
immutable
as $$
  select row(
    null, 0, 'weekly', null, null, '{}'::text[],
    row(null, '{}'::text[], null, 'recurring_only', 'monthly', 'none', null, true)::rules.client_fields,
    null
  )::rules.client_state
$$;

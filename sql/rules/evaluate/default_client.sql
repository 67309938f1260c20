-- A client of which nothing is said, as the columns of `clients` default: the one place besides them.
create or replace function rules.default_client()
returns rules.client_state
language sql
immutable
as $$
  select row(
    null, 0, 'weekly', null, null, '{}'::text[], null, '{}'::text[], null, 'recurring_only', 'monthly', 'none', null, true
  )::rules.client_state
$$;

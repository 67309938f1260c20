-- A header of this request; null if there is none.
create or replace function rules.request_header(name text)
returns text
language sql
stable
as $$
  select nullif(current_setting('request.headers', true), '')::json ->> name
$$;

-- A header of this request as PostgREST wrote it into JSON: the text between the quotes, empty if there is none.
-- Reading the JSON takes six times as long, and every request reads several headers. If the text is empty or has a
-- backslash, rules.request_header has the header. SQL, so that the planner inlines it.
create or replace function rules.plain_header(name text)
returns text
language sql
stable
as $$
  -- no value contains this beginning: a quote in a value has a backslash
  select split_part(split_part(current_setting('request.headers', true), '"' || name || '":"', 2), '"', 1)
$$;

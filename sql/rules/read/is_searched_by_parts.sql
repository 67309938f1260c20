-- Whether the firm is small enough to be searched for any part of a word.
create or replace function rules.is_searched_by_parts()
returns boolean
language sql
stable
as $$
  select c.reltuples <= 50000
  from pg_catalog.pg_class c
  where c.oid = 'public.clients'::regclass
$$;

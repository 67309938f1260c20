-- What a search finds in a firm of this size. Reading all names costs 3 to 5 µs per client: up to
-- 2,000 clients it is done for every search, up to 10,000 only if no word begins as typed.
create or replace function rules.how_searched()
returns text
language sql
stable
as $$
  select case
    when c.reltuples <= 2000 then 'parts'
    when c.reltuples <= 10000 then 'beginnings_first'
    else 'beginnings'
  end
  from pg_catalog.pg_class c
  where c.oid = 'public.clients'::regclass
$$;

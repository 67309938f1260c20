-- Turn typed text into a prefix query on name and slug.
-- The index lists all clients that match a prefix, and the planner can't tell how many those are.
-- So prefixes that most of the firm's first and last clients match are separated from the others:
-- `words` is for the index, `common_words` is checked on the clients found. If all prefixes are
-- common, `words` is null: a page is full after a few clients.
create or replace function rules.search_query(
  search           text,
  out words        tsquery,
  out common_words tsquery,
  out ids          bigint[]  -- the clients that match `words`, if they are at most 2,000
)
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_words  constant text[] := array(
    select quote_literal(lexeme) || ':*'
    from unnest(tsvector_to_array(to_tsvector('simple', left(search, 200)))) as lexeme
  );
  v_common text[];
begin
  with known as materialized (
    (select to_tsvector('simple', c.name || ' ' || c.slug) as vector from public.clients c order by c.id limit 50)
    union all
    (select to_tsvector('simple', c.name || ' ' || c.slug) from public.clients c order by c.id desc limit 50)
  )
  select coalesce(array_agg(typed.word), '{}')
  into v_common
  from unnest(v_words) as typed (word)
  where (select count(*) filter (where known.vector @@ typed.word::tsquery) > count(*) / 2 from known);

  common_words := nullif(array_to_string(v_common, ' & '), '')::tsquery;
  words := (
    select string_agg(typed.word, ' & ')::tsquery
    from unnest(v_words) as typed (word)
    where typed.word <> all (v_common)
  );
  if words is not null then
    ids := array(
      select c.id
      from public.clients c
      where to_tsvector('simple', c.name || ' ' || c.slug) @@ words
      limit 2001
    );
    ids := case when cardinality(ids) <= 2000 then ids end;
  elsif common_words is null then
    ids := '{}';  -- no word was typed
  end if;
end
$$;

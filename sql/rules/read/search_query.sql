-- What a person typed, as a query for words that begin so; words is null, which finds nothing, where no word is in it.
-- The index lists a beginning's clients from end to end, and the planner guesses how many they are. So beginnings that
-- most of the firm's first and last clients have are told apart: the others find the clients, and these are looked for
-- in what was found; and whether few are found is counted, which costs no more than they are.
create or replace function rules.search_query(
  search     text,
  out words  tsquery,  -- what the index is asked for
  out common tsquery,  -- what else they must have; null where words say it all
  out is_few boolean   -- whether the index finds no more than 2,000
)
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_words  text[] := array(
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

  if cardinality(v_common) < cardinality(v_words) then
    common := nullif(array_to_string(v_common, ' & '), '')::tsquery;
    words := (
      select string_agg(typed.word, ' & ')::tsquery
      from unnest(v_words) as typed (word)
      where typed.word <> all (v_common)
    );
    is_few := (
      select count(*) <= 2000
      from (
        select
        from public.clients c
        where to_tsvector('simple', c.name || ' ' || c.slug) @@ words
        limit 2001
      ) as found
    );
  else
    words := nullif(array_to_string(v_words, ' & '), '')::tsquery;
    is_few := false;
  end if;
end
$$;

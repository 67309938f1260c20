-- Turn typed text into what finds its words in name and slug, whatever their accents, capitals and punctuation:
-- clients with any part of a word by reading all names, or with the beginning of one by index (rules.how_searched).
-- The index lists all clients that match a beginning, and the planner can't tell how many those are. So beginnings that
-- most of the firm's first and last clients match are separated from the others: `words` is for the index,
-- `common_words` is checked on the clients found. If all are common, `words` is null: a few clients fill a page.
create or replace function rules.search_query(
  search           text,
  out words        tsquery,
  out common_words tsquery,
  out ids          bigint[]  -- the clients that match `words` or the parts; of `words` only if they are at most 2,000
)
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_words  constant text[] := array(
    select w.word
    from regexp_split_to_table(rules.search_text(left(search, 200), ''), '[[:space:]]+') as w (word)
    where w.word <> ''
  );
  v_how    constant text := rules.how_searched();
  v_common text[];
begin
  if v_words = '{}' then
    ids := '{}';
    return;
  end if;
  if v_how <> 'parts' then
    with known as materialized (
      (select rules.search_text(c.name, c.slug) as text from public.clients c order by c.id limit 50)
      union all
      (select rules.search_text(c.name, c.slug) from public.clients c order by c.id desc limit 50)
    )
    select coalesce(array_agg(typed.word), '{}')
    into v_common
    from unnest(v_words) as typed (word)
    where (select count(*) filter (where ' ' || known.text like '% ' || typed.word || '%') > count(*) / 2 from known);

    common_words := (
      select string_agg(quote_literal(typed.word) || ':*', ' & ') from unnest(v_common) as typed (word)
    )::tsquery;
    words := (
      select string_agg(quote_literal(typed.word) || ':*', ' & ')
      from unnest(v_words) as typed (word)
      where typed.word <> all (v_common)
    )::tsquery;
    if words is not null then
      ids := array(
        select c.id
        from public.clients c
        where to_tsvector('simple', rules.search_text(c.name, c.slug)) @@ words
        limit 2001
      );
      ids := case when cardinality(ids) <= 2000 then ids end;
    end if;
    if ids <> '{}' or ids is null or v_how = 'beginnings' then
      return;
    end if;
    words := null;
    common_words := null;
  end if;
  ids := array(
    select c.id
    from public.clients c
    where rules.search_text(c.name, c.slug) like all (array(select '%' || w.word || '%' from unnest(v_words) as w (word)))
  );
end
$$;

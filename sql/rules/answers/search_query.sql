-- What a person typed, as a query for words that begin so; null, which finds nothing, when there is no word in it.
create or replace function rules.search_query(search text)
returns tsquery
language plpgsql
immutable
as $$
#variable_conflict use_variable
begin
  return (
    select string_agg(quote_literal(lexeme) || ':*', ' & ')::tsquery
    from unnest(tsvector_to_array(to_tsvector('simple', left(search, 200)))) as lexeme
  );
end
$$;

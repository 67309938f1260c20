-- Words as a set: no duplicates, in the same order on every server; null stays null.
create or replace function rules.sorted_set(words text[])
returns text[]
language plpgsql
immutable
as $$
#variable_conflict use_variable
begin
  return case
    when cardinality(words) > 0
      then (select array_agg(distinct w.word order by w.word) from (select unnest(words) collate "C") as w (word))
    else words
  end;
end
$$;

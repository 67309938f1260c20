-- Words as a set: sorted the same way on every server, none twice.
create or replace function rules.sorted_set(words text[])
returns text[]
language plpgsql
immutable
as $$
declare
  v_set   text[] := array[]::text[];
  v_word  text;
  v_place integer;
begin
  if cardinality(words) > 20 then
    return (select array_agg(distinct word order by word) from (select unnest(words) collate "C" as word) as w);
  end if;

  -- Few words are put in their places sooner than a query is begun.
  foreach v_word in array coalesce(words, '{}') loop
    continue when v_word = any (v_set);
    v_place := cardinality(v_set);
    while v_place > 0 and v_set[v_place] collate "C" > v_word loop
      v_place := v_place - 1;
    end loop;
    v_set := v_set[:v_place] || v_word || v_set[v_place + 1:];
  end loop;
  return v_set;
end
$$;

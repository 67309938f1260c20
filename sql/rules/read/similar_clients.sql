-- Clients for a search that finds none: those that have most of the typed triples of letters, at most three.
create or replace function rules.similar_clients(search text)
returns json
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_text    constant text := replace(rules.search_text(left(search, 40), ''), ' ', '');
  v_triples constant text[] := array(
    select distinct substr(v_text, place, 3) from generate_series(1, greatest(length(v_text) - 2, 0)) as place
  );
begin
  if rules.how_searched() = 'beginnings' or v_triples = '{}' then
    return '[]';
  end if;
  return (
    select coalesce(json_agg(json_build_object('id', s.id, 'name', s.name) order by s.alike desc, s.id), '[]')
    from (
      select c.id, c.name, t.alike
      from (select c.id, c.name, replace(rules.search_text(c.name, ''), ' ', '') as text from public.clients c where c.active) c
      cross join lateral (
        select count(*) filter (where strpos(c.text, triple) > 0) as alike from unnest(v_triples) as triple
      ) t
      where t.alike * 3 >= cardinality(v_triples)
      order by t.alike desc, c.id
      limit 3
    ) s
  );
end
$$;

-- The clients that the steps of an occurrence only name, by the key in the counts: how many, and the first 1,000.
create or replace function jobs.names(steps jobs.step[])
returns jsonb
language plpgsql
stable
as $$
#variable_conflict use_variable
begin
  return coalesce((
    select jsonb_object_agg(n.word, jsonb_build_object('number', cardinality(n.client_ids), 'clients', (
      select jsonb_agg(jsonb_build_object('id', c.id, 'slug', c.slug) order by c.id)
      from public.clients c
      where c.id = any (n.client_ids[:1000])
    )))
    from (
      select s.word, array_agg(distinct id order by id) as client_ids
      from unnest(steps) s
      cross join unnest(s.client_ids) as id
      where s.action = 'name'
      group by s.word
    ) n
  ), '{}');
end
$$;

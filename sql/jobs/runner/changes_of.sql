-- What the steps of an occurrence change: a row for each change of a client, also if a rule forbids it.
create or replace function jobs.changes_of(
  job    text,
  due_at timestamptz,
  steps  jobs.step[]
)
returns table (
  client_id  bigint,
  slug       text,
  name       text,
  change     text,
  refused_by text
)
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_step  jobs.step;
  v_items rules.item[];
begin
  for v_step in
    select s.*
    from unnest(steps) s
    where s.action <> 'name'
    order by s.action, s.word, s.period
  loop
    v_step.client_ids := array(select id from unnest(v_step.client_ids) as id order by 1);
    for v_from in 1..cardinality(v_step.client_ids) by 20000 loop
      v_items := jobs.evaluate_step(job, due_at, null, v_step, v_step.client_ids[v_from:v_from + 19999]);
      return query
        select
          c.id::bigint, c.slug, c.name,
          case i.action
            when 'move' then c.stage || ' -> ' || i.word
            when 'set' then '+' || i.word
            when 'update' then 'given back'
            else '-' || i.word
          end,
          (i.violations[1]).rule
        from unnest(v_items) i
        join public.clients c on c.id = i.client_id
        order by c.id;
    end loop;
  end loop;
end
$$;

create or replace function jobs.plan(
  job   text,
  as_of timestamptz default null
)
returns table (
  client_id  bigint,
  slug       text,
  name       text,
  change     text,   -- 'weekly -> eom_close', '+stuck', '-stuck'
  refused_by text    -- the rule that forbids it; null: it would be changed
)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  v_as_of constant timestamptz := coalesce(as_of, now());
  v_due   record;
  v_step  jobs.step;
  v_ids   bigint[];
begin
  select * into v_due from jobs.occurrences(job, v_as_of);
  if v_due.too_late then
    return;
  end if;
  for v_step in
    select s.*
    from jobs.steps(job, v_due.due_at, v_as_of) s
    where s.action <> 'name'
    order by s.action, s.word, s.period
  loop
    v_step.client_ids := array(select id from unnest(v_step.client_ids) as id order by 1);
    for v_from in 1..cardinality(v_step.client_ids) by 20000 loop
      v_ids := v_step.client_ids[v_from:v_from + 19999];
      return query
        select
          c.id, c.slug, c.name,
          case v_step.action
            when 'move' then c.stage || ' -> ' || v_step.word
            when 'set' then '+' || v_step.word
            else '-' || v_step.word
          end,
          (e.violations[1]).rule
        from public.clients c
        left join unnest(rules.evaluate(jobs.items_of(job, v_due.due_at, null, v_step, v_ids))) e on e.client_id = c.id
        where c.id = any (v_ids)
        order by c.id;
    end loop;
  end loop;
end
$$;

comment on function jobs.plan(text, timestamptz) is
'Exactly the rows that a run of this job would change, and those that it would have to skip.
job: one of jobs.catalog(). as_of: what to take as now.
Errors: unknown_job, moment_not_valid (422).';

create or replace function jobs.plan(
  job   text,
  as_of timestamptz default null
)
returns table (
  client_id  bigint,
  slug       text,
  name       text,
  change     text,   -- 'weekly -> eom_close', '+stuck', '-stuck', 'given back'
  refused_by text    -- the rule that forbids it; null: the client would be changed
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
  v_items rules.item[];
begin
  select * into v_due from jobs.state_of(job, v_as_of);
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
      v_items := jobs.evaluate_step(job, v_due.due_at, null, v_step, v_step.client_ids[v_from:v_from + 19999]);
      return query
        select
          c.id, c.slug, c.name,
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

comment on function jobs.plan(text, timestamptz) is
'List exactly the clients that a run of this job would change, and those that it would skip because a rule forbids it.
job: one of jobs.catalog(). as_of: the time to use as now.
Errors: unknown_job, moment_not_valid (422).';

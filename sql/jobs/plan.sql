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
declare
  v_as_of constant timestamptz := coalesce(as_of, now());
  v_due   constant timestamptz := jobs.latest_due(job, v_as_of);
  v_step  record;
begin
  if not jobs.may_catch_up(v_due, v_as_of) then
    return;
  end if;
  for v_step in
    select ch.action, ch.word, array_agg(ch.client_id) as ids
    from jobs.changes(job, v_due, v_as_of) ch
    group by 1, 2
    order by 1, 2
  loop
    return query
      select
        c.id, c.slug, c.name,
        case v_step.action
          when 'move' then c.stage || ' -> ' || v_step.word
          when 'set' then '+' || v_step.word
          else '-' || v_step.word
        end,
        j.refused_by
      from jobs.judge(jobs.actor_of(job), v_step.action, v_step.word, v_step.ids) j
      cross join unnest(j.clients) as wanted (id)
      join public.clients c on c.id = wanted.id
      order by c.id;
  end loop;
end
$$;

comment on function jobs.plan(text, timestamptz) is
'Exactly the rows that a run of this job would change, and those that it would have to skip.
job: one of jobs.catalog(). as_of: what to take as now.
Errors: unknown_job (422).';

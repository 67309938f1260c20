create or replace function jobs.overdue(at timestamptz default null)
returns table (
  job    text,
  due_at timestamptz,
  state  text,
  hours  integer
)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set enable_sort = off  -- as in jobs.state_of
as $$
#variable_conflict use_variable
declare
  v_at constant timestamptz := coalesce(at, now());
begin
  return query
    select d.job, since.due_at, d.state, floor(extract(epoch from v_at - since.due_at) / 3600)::integer
    from jobs.due(v_at) d
    join public.job_locks l on l.job = d.job
    left join lateral (
      -- the newest occurrence that was done or skipped; for a gap, its end
      select coalesce((r.counts ->> 'until')::timestamptz, r.due_at) as due_at
      from public.job_runs r
      where r.job = d.job and r.due_at <= d.due_at and r.outcome in ('done', 'skipped')
      order by r.due_at desc
      limit 1
    ) settled on true
    cross join lateral (
      -- what was due before the job was installed counts from its installation
      select greatest(l.installed_at, least(d.due_at, o.next_due)) as due_at
      from jobs.occurrences(d.job, greatest(l.installed_at, settled.due_at)) o
    ) since
    where d.state not in ('done', 'running', 'not_due')
      -- a skipped month needs attention only if clients were left unchanged
      and (d.state <> 'skipped' or exists (
        select
        from public.job_runs r
        where r.job = d.job and r.due_at = d.due_at and (r.counts ->> 'not_done')::bigint > 0
      ))
      -- a job that runs every hour after it was done
      and not exists (
        select from public.job_runs r where r.job = d.job and r.due_at = d.due_at and r.outcome = 'done'
      )
      -- schedulers start it every hour
      and v_at - since.due_at > interval '2 hours';
end
$$;

comment on function jobs.overdue(timestamptz) is
'List the jobs that should have run by now and didn''t: their scheduler is missing or down, or they fail. Also a
month that was skipped with clients left unchanged, until an operator runs it or the next month is due.
at: the time to use as now. due_at: the first occurrence that was not done, or the installation if that is later.
state: of the newest occurrence. hours: since due_at.';

create or replace function jobs.due(at timestamptz default null)
returns table (
  job          text,
  due_at       timestamptz,   -- the newest occurrence
  state        text,
  is_due       boolean,       -- a scheduler that starts the job now has work to do
  missed       integer,       -- occurrences before it without a row in job_runs
  last_success timestamptz,
  next_due     timestamptz
)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set enable_sort = off  -- as in jobs.state_of
as $$
#variable_conflict use_variable
begin
  return query
    select
      c.job, s.due_at, s.state,
      s.state in ('due', 'missed', 'crashed') or s.state in ('failed', 'skipped', 'rolled_back') and not s.too_late,
      s.missed,
      (
        select r.finished_at
        from public.job_runs r
        where r.job = c.job and r.due_at <= s.due_at and r.outcome = 'done'
        order by r.due_at desc
        limit 1
      ),
      s.next_due
    from jobs.catalog() c
    cross join lateral jobs.state_of(c.job, coalesce(due.at, now())) s;
end
$$;

comment on function jobs.due(timestamptz) is
'List each job: its newest occurrence and that occurrence''s state, how many were missed, the last success,
and when it is due next.
at: the time to use as now. state: due, running, crashed, done, failed, skipped, rolled_back, missed (for longer than the catch-up
days), not_due (from before the installation).';

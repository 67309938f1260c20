create or replace function jobs.due(at timestamptz default null)
returns table (
  job          text,
  due_at       timestamptz,   -- the occurrence in force
  state        text,
  is_due       boolean,       -- a scheduler that starts it now will find something to do
  missed       integer,       -- occurrences before it that are not on the ledger
  last_success timestamptz,
  next_due     timestamptz
)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set enable_sort = off  -- the newest run comes from the index, also before the ledger's first statistics
as $$
declare
  v_at  constant timestamptz := coalesce(at, now());
  v_run public.job_runs;
begin
  for due.job in select c.job from jobs.catalog() c loop
    due_at := jobs.latest_due(due.job, v_at);
    select * into v_run from public.job_runs r where r.job = due.job and r.due_at = due.due_at;
    state := jobs.state_of(v_run, due.job, due_at, v_at);
    is_due := state in ('due', 'missed', 'crashed')
      or state in ('failed', 'skipped') and jobs.may_catch_up(due_at, v_at);
    missed := jobs.missed_between(due.job, jobs.first_missed(due.job, due_at), due_at);
    last_success := (
      select r.finished_at
      from public.job_runs r
      where r.job = due.job and r.due_at <= due.due_at and r.outcome = 'done'
      order by r.due_at desc
      limit 1
    );
    next_due := jobs.next_due(due.job, v_at);
    return next;
  end loop;
end
$$;

comment on function jobs.due(timestamptz) is
'Each job: the occurrence in force, where it stands, what was missed, the last success, when it is due next.
at: what to take as now. state: due, running, crashed, done, failed, skipped, missed (for longer than the catch-up
days), not_due (from before the installation).';

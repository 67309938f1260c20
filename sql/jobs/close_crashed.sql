-- Runs of other occurrences that the ledger has at work, though their job's lock was free: they ended without a word.
create or replace function jobs.close_crashed(
  job    text,
  due_at timestamptz
)
returns void
language plpgsql
volatile
as $$
begin
  update public.job_runs r
  set
    outcome = 'failed',
    finished_at = clock_timestamp(),
    error = format(
      'crashed: begun on %s, ended without a word; the run due on %s takes over',
      to_char(rules.firm_time(r.started_at), 'YYYY-MM-DD HH24:MI'),
      to_char(rules.firm_time(close_crashed.due_at), 'YYYY-MM-DD HH24:MI')
    )
  where r.job = close_crashed.job
    and r.due_at <> close_crashed.due_at
    and r.outcome = 'running';
end
$$;

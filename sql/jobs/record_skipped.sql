-- Put on the ledger what was missed and is not made up for.
create or replace function jobs.record_skipped(
  job    text,
  due_at timestamptz,
  as_of  timestamptz,
  counts jsonb,
  said   text
)
returns void
language plpgsql
volatile
as $$
begin
  insert into public.job_runs (job, due_at, as_of, started_at, finished_at, outcome, counts, error)
  values (job, due_at, as_of, clock_timestamp(), clock_timestamp(), 'skipped', counts, said)
  on conflict on constraint job_runs_occurrence_uniq do nothing;
end
$$;

-- Whether an occurrence that is not on the ledger is one to run or to record: it may still be made up for, or an
-- earlier one is there, so that the job was at work before. What was due before the installation, nobody awaits.
create or replace function jobs.is_awaited(
  job    text,
  due_at timestamptz,
  as_of  timestamptz
)
returns boolean
language plpgsql
stable
as $$
begin
  return jobs.may_catch_up(due_at, as_of)
    or exists (select from public.job_runs r where r.job = is_awaited.job and r.due_at < is_awaited.due_at);
end
$$;

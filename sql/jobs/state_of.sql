-- Where an occurrence of a job stands, in one word.
create or replace function jobs.state_of(
  run    public.job_runs,   -- its row on the ledger; all null: none
  job    text,
  due_at timestamptz,
  as_of  timestamptz
)
returns text
language plpgsql
volatile
as $$
begin
  if run.outcome = 'running' then
    return case when jobs.is_at_work(job) then 'running' else 'crashed' end;
  end if;
  return case
    when run.outcome is not null then run.outcome
    when jobs.may_catch_up(due_at, as_of) then 'due'
    when jobs.is_awaited(job, due_at, as_of) then 'missed'
    else 'not_due'
  end;
end
$$;

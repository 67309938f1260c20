-- Take a job's lock, for this transaction or for the session; false where another session has it.
create or replace function jobs.try_lock(
  job       text,
  keep_lock boolean
)
returns boolean
language plpgsql
volatile
as $$
begin
  if keep_lock then
    return pg_try_advisory_lock(jobs.lock_key(job));
  end if;
  return pg_try_advisory_xact_lock(jobs.lock_key(job));
end
$$;

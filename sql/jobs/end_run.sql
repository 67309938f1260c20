-- Let go of a job's lock, where it is the session's; a transaction's own goes with it. Answers an empty object.
create or replace function jobs.end_run(
  job       text,
  keep_lock boolean
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if keep_lock then
    perform pg_advisory_unlock(jobs.lock_key(job));
  end if;
  return jsonb_build_object();
end
$$;

-- Deletes one slice of the rows that are older than the settings keep them: keys with their answers, and runs of jobs.
-- Skips rows that another session has locked, so no session waits. Returns how many rows it deleted; 0 means that none
-- are left. Never deletes history, erasures or erased keys.
create or replace function ops.prune(
  max_rows integer default 10000,
  out keys bigint,
  out runs bigint
)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
begin
  delete from public.idempotency_keys k
  where k.ctid = any (array(
    select old.ctid
    from public.idempotency_keys old
    where old.created_at < now() - (select s.keep_keys from public.stage_settings s)
      and old.response is not null
    limit max_rows
    for update skip locked
  ));
  get diagnostics keys = row_count;

  delete from public.job_runs r
  where r.ctid = any (array(
    select old.ctid
    from public.job_runs old
    where old.finished_at < now() - (select s.keep_runs from public.stage_settings s)
      and exists (select from public.job_runs newer where newer.job = old.job and newer.due_at > old.due_at)
    limit max_rows
    for update skip locked
  ));
  get diagnostics runs = row_count;
end
$$;

comment on function ops.prune(integer) is
'Delete kept answers of repeatable writes and runs of jobs that are older than keep_keys and keep_runs.
max_rows: at most so many rows of each kind. Returns keys and runs, the numbers of rows deleted; 0 means that none are left.';

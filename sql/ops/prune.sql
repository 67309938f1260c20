-- Delete what has been kept for as long as the settings say: one slice, of rows that nobody holds, so that nobody waits
-- for it. Answers how many rows went; none: there are no more. History is never among them.
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
'Delete answers to repeatable writes and runs of jobs that are older than the settings keep them.
max_rows: at most so many of each.';

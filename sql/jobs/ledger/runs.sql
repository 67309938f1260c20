create or replace function jobs.runs(
  job       text default null,
  page_size integer default 20,
  before    bigint default null,
  run_id    bigint default null
)
returns setof jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
begin
  page_size := rules.checked_page_size(page_size);
  if job is not null then
    perform jobs.catalog(job);
  end if;
  return query
    select jsonb_build_object(
      'run_id', r.id,
      'job', r.job,
      'due_at', r.due_at,
      'as_of', r.as_of,
      'outcome', r.outcome,
      'started_at', r.started_at,
      'finished_at', r.finished_at,
      'seconds', round(extract(epoch from r.finished_at - r.started_at), 3),
      'attempts', r.attempts,
      'changed', (select coalesce(sum((r.counts ->> k.counter)::bigint), 0) from jobs.counters() k),
      'counts', r.counts,
      'error', r.error
    )
    from public.job_runs r
    where (runs.job is null or r.job = runs.job)
      and (runs.before is null or r.id < runs.before)
      and (runs.run_id is null or r.id = runs.run_id)
    order by r.id desc
    limit page_size;
end
$$;

comment on function jobs.runs(text, integer, bigint, bigint) is
'List the runs in job_runs, newest first, each with its counts, the number of its changes, seconds and error.
job: only this job. page_size: 1 to 1,000. before: only runs with a lower id. run_id: only this run.
Errors: unknown_job, page_size_not_valid (422).';

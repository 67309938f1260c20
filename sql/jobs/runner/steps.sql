-- What an occurrence of a job is to change, among these clients or among all. The plan, the run and its end all use
-- this function. A job's definition is the function with its name.
create or replace function jobs.steps(
  job    text,
  due_at timestamptz,
  as_of  timestamptz,
  among  bigint[] default null
)
returns setof jobs.step
language plpgsql
stable
as $$
#variable_conflict use_variable
begin
  perform jobs.catalog(job);  -- refuses an unknown name
  return query
    execute format('select s.* from jobs.%I($1, $2, $3) s where s.client_ids <> %L', job, '{}')
    using due_at, as_of, among;
end
$$;

-- It commits, so it cannot have a SET clause: it sets the path itself, first of all and after each COMMIT, so that
-- nothing that somebody planted in the caller's path runs as the caller.
create or replace procedure jobs.perform(
  job          text,
  as_of        timestamptz default null,
  only_if_due  boolean default true,
  inout result jsonb default null
)
language plpgsql
as $$
begin
  perform pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
  result := jobs.begin_run(job, as_of, only_if_due);
  commit;
  perform pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
  if result ->> 'outcome' = 'running' then
    if (result ->> 'attempts')::integer > 1 then
      raise notice 'takes up the run due on % again, attempt %', result ->> 'due_at', result ->> 'attempts';
    end if;
    call jobs.work((result ->> 'run_id')::bigint, commits => true);
    perform pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
    result := (select r from jobs.runs(run_id => (result ->> 'run_id')::bigint) r);
    commit;
  end if;
end
$$;

comment on procedure jobs.perform(text, timestamptz, boolean, jsonb) is
'Run a job as a scheduler does: the ledger row is committed before the work begins, then each slice of the work.
job: one of jobs.catalog(). as_of: what to take as now, for operators. only_if_due: leave alone what was done already;
who is no operator runs what is due now, and nothing else.
Call it outside a transaction. Answers, in `result`, what jobs.run answers.
Errors: as_of_for_operators (403), unknown_job, moment_not_valid (422).';

-- Take a job's lock and put the occurrence in force at `as_of` on the ledger as running.
-- Answers the row as JSON; its outcome is running, or why there is nothing to run: busy (another session is at it),
-- nothing_due (it was done), skipped (missed for longer than the catch-up days).
create or replace function jobs.begin_run(
  job          text,
  as_of        timestamptz,
  only_if_due  boolean,   -- leave alone what was done already
  keep_lock    boolean    -- beyond this transaction, to the end of the session or jobs.end_run
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_as_of constant timestamptz := coalesce(as_of, now());
  v_due   constant timestamptz := jobs.latest_due(job, v_as_of);
  v_run   public.job_runs;
  v_known boolean;
begin
  -- LOCK
  if not jobs.try_lock(job, keep_lock) then
    return jsonb_build_object('job', job, 'due_at', v_due, 'as_of', v_as_of, 'outcome', 'busy');
  end if;

  -- GUARD
  select * into v_run from public.job_runs r where r.job = begin_run.job and r.due_at = v_due;
  v_known := v_run.id is not null;
  if v_run.outcome = 'done' and only_if_due
    or v_run.outcome in ('done', 'skipped') and not jobs.may_catch_up(v_due, v_as_of)
    or not v_known and only_if_due and not jobs.is_awaited(job, v_due, v_as_of)
  then
    return jobs.end_run(job, keep_lock)
      || jsonb_build_object('job', job, 'due_at', v_due, 'as_of', v_as_of, 'outcome', 'nothing_due');
  end if;

  -- ACT
  perform jobs.close_crashed(job, v_due);
  perform jobs.record_missed(job, v_due, v_as_of);
  if not jobs.may_catch_up(v_due, v_as_of) then
    if v_known then
      update public.job_runs r
      set
        outcome = 'failed',
        finished_at = clock_timestamp(),
        error = coalesce(r.error, 'crashed: not made up for in time')
      where r.id = v_run.id
      returning * into v_run;
    else
      perform jobs.skip_month(job, v_due, v_as_of);
      select * into v_run from public.job_runs r where r.job = begin_run.job and r.due_at = v_due;
    end if;
    return jobs.end_run(job, keep_lock) || jobs.report(v_run);
  end if;

  insert into public.job_runs as r (job, due_at, as_of, started_at)
  values (job, v_due, v_as_of, clock_timestamp())
  on conflict on constraint job_runs_occurrence_uniq do update
  set
    as_of = excluded.as_of,
    started_at = excluded.started_at,
    finished_at = null,
    outcome = 'running',
    error = null,
    -- what was changed adds up; who was skipped is said anew
    counts = r.counts - '{unchanged,skipped,errors,not_done,missed,until}'::text[],
    attempts = r.attempts + 1
  returning * into v_run;
  return jobs.report(v_run);
end
$$;

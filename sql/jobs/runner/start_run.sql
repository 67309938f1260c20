-- START a run: lock the job, and put the occurrence in force at `as_of` into job_runs as running.
-- Returns the run as jobs.runs does. Without one, the outcome is busy (another session runs the job), nothing_due (it
-- is done), or skipped (it is too late to make up for it).
create or replace function jobs.start_run(
  job         text,
  as_of       timestamptz default null,
  only_if_due boolean default true   -- false: also run an occurrence that is done
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  v_operator constant boolean     := rules.is_operator(session_user);
  v_only_due constant boolean     := only_if_due or not v_operator;  -- a scheduler can run only what is due now
  v_as_of    constant timestamptz := coalesce(as_of, now());
  v_answer   jsonb;
  v_crashed  bigint[];
  v_job      record;
  v_run_id   bigint;
begin
  if as_of is not null and not v_operator then
    perform rules.refuse('as_of_for_operators');
  end if;
  select jsonb_build_object('job', job, 'due_at', o.due_at, 'as_of', v_as_of)
  into v_answer
  from jobs.occurrences(job, v_as_of) o;

  -- LOCK
  insert into public.job_locks (job) values (job) on conflict do nothing;
  perform from public.job_locks l where l.job = start_run.job for update skip locked;
  if not found or jobs.is_running(job) then
    return v_answer || '{"outcome": "busy"}';
  end if;
  if only_if_due then
    update public.job_locks l set started_at = clock_timestamp() where l.job = start_run.job;
  end if;

  -- This session has the lock, so a run that is still marked as running has crashed.
  with crashed as (
    update public.job_runs r
    set
      outcome = 'failed',
      finished_at = clock_timestamp(),
      error = format(
        'crashed: started on %s and never ended; the next start resumes it',
        to_char(rules.firm_time(r.started_at), 'YYYY-MM-DD HH24:MI')
      )
    where r.job = start_run.job and r.outcome = 'running'
    returning r.id
  )
  select coalesce(array_agg(c.id), '{}') into v_crashed from crashed c;

  select * into v_job from jobs.state_of(job, v_as_of);
  if v_job.state = 'done' and (v_only_due or v_job.too_late)
    or v_job.state in ('skipped', 'failed', 'rolled_back') and v_job.too_late and v_job.run_id <> all (v_crashed)
    or v_job.state = 'not_due' and v_only_due
  then
    return v_answer || '{"outcome": "nothing_due"}';
  end if;
  perform jobs.record_missed(job, v_job.first_missed, v_job.due_at, v_job.missed, v_as_of);
  if v_job.too_late then
    perform jobs.record_missed(job, v_job.due_at, v_job.next_due, 1, v_as_of);
    return (select r from jobs.runs(job, 1, run_id => v_job.run_id) r);
  end if;

  insert into public.job_runs as r (job, due_at, as_of, started_at, backend_pid, seen_at)
  values (job, v_job.due_at, v_as_of, clock_timestamp(), pg_backend_pid(), clock_timestamp())
  on conflict on constraint job_runs_occurrence_uniq do update
  set
    (as_of, started_at, backend_pid, seen_at) =
      row(excluded.as_of, excluded.started_at, excluded.backend_pid, excluded.seen_at),
    (outcome, finished_at, error) = row('running', null, null),
    attempts = r.attempts + (r.outcome not in ('done', 'rolled_back'))::integer,
    -- Changes add up over the starts. Everything else is counted again.
    counts = coalesce(
      (
        select jsonb_object_agg(c.key, c.value)
        from jsonb_each(r.counts) as c
        where c.key in (select k.counter from jobs.counters() k) and r.outcome <> 'rolled_back'
      ),
      '{}'
    )
  returning r.id into v_run_id;
  return (select r from jobs.runs(run_id => v_run_id) r);
end
$$;

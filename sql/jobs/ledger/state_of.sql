-- The state of a job at a moment.
create or replace function jobs.state_of(
  job              text,
  at               timestamptz,
  out due_at       timestamptz,   -- the newest occurrence
  out next_due     timestamptz,
  out too_late     boolean,       -- due_at is past the catch-up days
  out run_id       bigint,        -- its row in job_runs; null: none
  out state        text,          -- due, running, crashed, done, failed, skipped, rolled_back, missed or not_due
  out first_missed timestamptz,   -- the first occurrence before it without a row, after one with a row
  out missed       integer        -- the number of such occurrences
)
language plpgsql
stable
set enable_sort = off  -- read the newest run by index, also before job_runs has statistics
as $$
#variable_conflict use_variable
declare
  v_schedule text;
  v_run    public.job_runs;
  v_before public.job_runs;
begin
  select o.due_at, o.next_due, o.too_late into due_at, next_due, too_late from jobs.occurrences(job, at) o;
  v_schedule := (select c.schedule from jobs.catalog(job) c);
  select * into v_run from public.job_runs r where r.job = state_of.job and r.due_at = state_of.due_at;
  -- a roll that was done goes on until the next one, also if a setting or a holiday has moved its moment since
  too_late := too_late and not (v_schedule = 'month_end' and (
    v_run.outcome <> 'skipped'
    or exists (
      select from public.job_runs r where r.job = state_of.job and r.outcome = 'done' and r.as_of >= state_of.due_at
    )
  ) is true);
  select *
  into v_before
  from public.job_runs r
  where r.job = state_of.job
    and r.due_at < state_of.due_at
  order by r.due_at desc
  limit 1;

  run_id := v_run.id;
  state := case
    when v_run.outcome = 'done' and v_schedule = 'month_end' and v_run.as_of < date_trunc('hour', at) then 'due'
    when v_run.outcome <> 'running' then v_run.outcome
    when v_run.outcome = 'running' then case when jobs.is_running(job) then 'running' else 'crashed' end
    when not too_late then 'due'
    -- an occurrence from before the installation is not due
    when v_before.id is not null then 'missed'
    else 'not_due'
  end;

  missed := 0;
  if v_before.id is not null then
    select o.next_due
    into first_missed
    from jobs.occurrences(job, coalesce((v_before.counts ->> 'until')::timestamptz, v_before.due_at)) o;
  end if;
  if first_missed < due_at then
    missed := case v_schedule
      when 'hourly' then extract(epoch from due_at - first_missed) / 3600
      when 'daily' then rules.firm_time(due_at)::date - rules.firm_time(first_missed)::date
      else (
        select 12 * extract(year from months) + extract(month from months)
        from age(
          date_trunc('month', rules.firm_time(due_at)), date_trunc('month', rules.firm_time(first_missed))
        ) as months
      )
    end;
  else
    first_missed := null;
  end if;
end
$$;

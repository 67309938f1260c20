-- The clients that owe the month of the newest roll that ran, and are not in its close.
create or replace function ops.not_opened()
returns table (
  close_period text,
  run_id       bigint,
  client_id    bigint,
  slug         text,
  why          text,    -- as in rules.owed_closes
  nth          bigint   -- in the order of the ids
)
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_run    public.job_runs;
  v_due_at timestamptz;
begin
  select r.*
  into v_run
  from public.job_runs r
  where r.job = 'stage_autoroll_eom_open' and r.outcome in ('done', 'failed')
  order by r.due_at desc
  limit 1;
  run_id := v_run.id;
  -- a roll that didn't run is reported by job_overdue
  close_period := rules.close_period(v_run.due_at);
  v_due_at := rules.due_at(to_date(close_period, 'YYYY-MM'));
  return query
    select
      close_period, run_id, o.client_id, c.slug::text, o.why,
      row_number() over (partition by case when o.why in ('ready', 'still_closing') then o.why end order by o.client_id)
    from rules.owed_closes(close_period, v_due_at, v_run.as_of) o
    join public.clients c on c.id = o.client_id
    where v_run.id is not null;
end
$$;

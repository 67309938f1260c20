-- Month-end: active clients in weekly whose cadence closes this month move to eom_close. A client that entered weekly
-- after the run was due, while the run was late, waits for the next month-end.
-- Clients that are still in the close of an earlier month are listed in the counts and not changed.
create or replace function jobs.stage_autoroll_eom_open(
  due_at timestamptz,
  as_of  timestamptz,
  among  bigint[]   -- only these clients; null: all
)
returns setof jobs.step
language plpgsql
stable
set plan_cache_mode = force_custom_plan
as $$
#variable_conflict use_variable
declare
  v_job    constant text    := 'stage_autoroll_eom_open';
  v_month  constant integer := extract(month from rules.firm_time(due_at));
  v_period constant text    := to_char(rules.firm_time(due_at), 'YYYY-MM');
begin
  return query
    select
      'move', 'eom_close', v_period, 'the books of ' || v_period || ' are to be closed', null::text, array_agg(c.id)
    from public.clients c
    where (among is null or c.id = any (among))
      and c.stage = 'weekly'
      and c.active
      and rules.closes_in(c.close_cadence, v_month)
      and not (c.stage_entered_at > due_at and c.stage_entered_at <= as_of)
      and not exists (select from jobs.done_for(v_job, v_period) d where d.client_id = c.id offset 0);

  return query
    select 'name', 'still_closing', v_period, null::text, null::text, array_agg(c.id)
    from public.clients c
    cross join lateral (
      -- the opening of the close that the client is in; a resume is not an opening
      select coalesce(h.payload ->> 'period', rules.close_period(h.occurred_at)) as period
      from public.stage_history h
      where h.client_id = c.id
        and h.to_stage = 'eom_close'
        and rules.opens_close(h.from_stage, h.from_returning_to, h.trigger_type)
      order by h.version desc
      limit 1
    ) opened
    where among is null
      and c.active
      and coalesce(c.returning_to_stage, c.stage) in ('eom_close', 'eom_review')
      and opened.period < v_period
      -- this run opened most of them; this condition drops those before the lateral query runs
      and not exists (select from jobs.done_for(v_job, v_period) d where d.client_id = c.id offset 0);
end
$$;

-- Month-end: the active clients in weekly whose cadence closes this month go to eom_close.
-- Who came into weekly after the run was due, while it was late, is not of this month-end.
create or replace function jobs.stage_autoroll_eom_open(
  due_at timestamptz,
  as_of  timestamptz,
  among  bigint[] default null   -- these clients only
)
returns table (
  client_id bigint,
  action    text,
  word      text,
  period    text
)
language plpgsql
stable
set plan_cache_mode = force_custom_plan
as $$
declare
  v_month  integer := extract(month from rules.firm_time(due_at));
  v_period text    := to_char(rules.firm_time(due_at), 'YYYY-MM');
begin
  return query
    select c.id, 'move', 'eom_close', v_period
    from public.clients c
    where (among is null or c.id = any (among))
      and c.stage = 'weekly'
      and c.active
      and rules.closes_in(c.close_cadence, v_month)
      and not (c.stage_entered_at > due_at and c.stage_entered_at <= as_of)
      and not exists (
        select
        from public.stage_history h
        where h.client_id = c.id
          and h.actor_id = 'system:cron:stage_autoroll_eom_open'
          and h.payload ->> 'period' = v_period
          and h.channel = 'cron'
          and h.payload ? 'period'
      );
end
$$;

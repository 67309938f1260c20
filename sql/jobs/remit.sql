-- How many clients a run was about, whether it changed them or not: what is left after the changed and the
-- skipped was as it should be. Of seasons, each season's clients count.
create or replace function jobs.remit(
  job    text,
  due_at timestamptz
)
returns bigint
language plpgsql
stable
set plan_cache_mode = force_custom_plan
as $$
declare
  v_today date    := rules.firm_time(due_at);
  v_month integer := extract(month from v_today);
begin
  return case job
    when 'stage_autoroll_eom_open' then (
      select count(*) from public.clients c where c.active and rules.closes_in(c.close_cadence, v_month)
    )
    when 'flag_autoclear_advisory_due' then (
      select count(*) from public.clients c where c.flags @> '{advisory_due}' and c.flags <> '{}'
    )
    when 'stage_stuck_detector' then (
      select count(*) from public.clients c where 'stuck' = any (c.flags)
    )
    when 'flag_sales_tax_due' then (
      select count(*) from public.clients c where c.flags @> '{sales_tax_due}' and c.flags <> '{}'
    )
    when 'flag_seasonal' then (
      select count(*)
      from public.stage_seasons s
      join public.clients c on c.flags @> array[s.flag]
      where c.flags <> '{}'
    )
  end;
end
$$;

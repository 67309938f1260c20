-- Daily: sets sales_tax_due from the lead days before a filing is due until its month is over, once per period. A
-- person clears it after filing.
create or replace function jobs.flag_sales_tax_due(
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
  v_settings public.stage_settings := (select s.*::public.stage_settings from public.stage_settings s);
  v_today    date := rules.firm_time(due_at);
  v_month    date;
  v_period   text;
  v_opens_on date;
begin
  -- with many lead days, a filing of a later month can be due already
  for v_month in
    select m::date
    from generate_series(date_trunc('month', v_today::timestamp), v_today + v_settings.sales_tax_lead_days, '1 month') m
  loop
    v_period := to_char(v_month, 'YYYY-MM');
    v_opens_on := v_month + (v_settings.sales_tax_due_day - 1) - v_settings.sales_tax_lead_days;
    continue when v_today < v_opens_on;

    return query
      select 'set', 'sales_tax_due', v_period, 'sales tax is to be filed in ' || v_period, null::text, array_agg(c.id::bigint)
      from public.clients c
      where (among is null or c.id in (select unnest(among)))
        and c.active
        and rules.files_in(c.sales_tax_schedule, extract(month from v_month)::integer)
        and 'sales_tax_due' <> all (c.flags)
        and not exists (
          select from jobs.done_for('flag_sales_tax_due', v_period) d where d.client_id = c.id offset 0
        )
        -- a person set it before the job did, and has filed since; not the filing of another month, and no rollback
        and not exists (
          select
          from public.stage_history h
          where h.client_id = c.id
            and h.flag_removed = 'sales_tax_due'
            and h.trigger_type <> 'rollback'
            and coalesce(
              (
                select a.payload ->> 'period'
                from public.stage_history a
                where a.client_id = h.client_id and a.version < h.version and a.flag_added = 'sales_tax_due'
                order by a.version desc
                limit 1
              ),
              v_period
            ) = v_period
            and h.occurred_at >= rules.firm_instant(v_opens_on::timestamp)
            and h.occurred_at <= as_of
          offset 0
        );
  end loop;
end
$$;

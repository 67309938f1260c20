-- The months from one to another (days of them), with their moments of a close. SQL, so that the planner inlines it and
-- computes only the columns that are read. `limit 1` tells it that the settings are one row: it expects 570 in a table
-- that was never analyzed, takes the query for expensive, and compiles it (jit), for seconds.
create or replace function rules.months(
  from_month date,
  to_month   date
)
returns table (
  period            text,         -- YYYY-MM
  first_day         date,
  last_business_day date,         -- a month without one: the last weekday before it
  roll_at           timestamptz,  -- when its closes are opened: on that day, at the hour in the settings
  due_at            timestamptz   -- when they are late: after the business day of the next month in the settings
)
language sql
stable
as $$
  select
    to_char(m.first, 'YYYY-MM'),
    m.first::date,
    rolled.day,
    (rolled.day + s.eom_open_at) at time zone s.time_zone,
    (
      select d.day + interval '1 day'
      -- long enough for fifteen business days and a month of holidays
      from generate_series(m.first + interval '1 month', m.first + interval '3 months', interval '1 day') as d (day)
      where extract(isodow from d.day) < 6
        and not exists (
          select
          from public.business_holidays h
          where h.day = d.day::date and h.day >= m.first and h.day <= m.first + interval '3 months'
        )
      order by d.day
      offset s.close_due_day - 1
      limit 1
    ) at time zone s.time_zone
  from (select * from public.stage_settings limit 1) as s
  cross join generate_series(
    date_trunc('month', months.from_month::timestamp), date_trunc('month', months.to_month::timestamp), interval '1 month'
  ) as m (first)
  cross join lateral (
    select coalesce(
      (
        select max(d.day)::date
        from generate_series(m.first, m.first + interval '1 month - 1 day', interval '1 day') as d (day)
        where extract(isodow from d.day) < 6
          and not exists (
            select
            from public.business_holidays h
            where h.day = d.day::date and h.day >= m.first and h.day < m.first + interval '1 month'
          )
      ),
      m.first::date - case extract(isodow from m.first) when 1 then 3 when 7 then 2 else 1 end
    ) as day
  ) as rolled
$$;

-- The months from one to another (days of them), with their moments of a close. SQL, so that the planner inlines it and
-- computes only the columns that are read.
create or replace function rules.months(
  from_month date,
  to_month   date
)
returns table (
  period            text,         -- YYYY-MM
  first_day         date,
  last_business_day date,         -- a month without one: the last weekday before it
  roll_at           timestamptz,  -- when its closes are opened
  due_at            timestamptz   -- when they are late
)
language sql
stable
as $$
  select
    to_char(m.first, 'YYYY-MM'),
    m.first::date,
    rules.last_business_day(m.first::date),
    rules.roll_at(m.first::date),
    rules.due_at(m.first::date)
  from generate_series(
    date_trunc('month', months.from_month::timestamp), date_trunc('month', months.to_month::timestamp), interval '1 month'
  ) as m (first)
$$;

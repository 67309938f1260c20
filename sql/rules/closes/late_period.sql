-- The newest month whose close was due by a moment: a client that is still in its close, or in an earlier one, is late.
-- SQL, so that the planner inlines it: one row.
create or replace function rules.late_period(at timestamptz)
returns table (period text)
language sql
stable
as $$
  select max(m.period)
  from rules.months((late_period.at - interval '4 months')::date, late_period.at::date) m
  where m.due_at <= late_period.at
$$;

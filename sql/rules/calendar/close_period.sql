-- The month that is being closed at a moment, as YYYY-MM: the newest whose roll is past.
create or replace function rules.close_period(at timestamptz)
returns text
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_day constant date := at;
begin
  return (
    select max(m.period)
    -- a month without a business day is rolled before it begins
    from rules.months((v_day - interval '2 months')::date, (v_day + interval '1 month')::date) m
    where m.roll_at <= at
  );
end
$$;

-- The moment from which a month's close is late if it isn't closed: the end of the next month's
-- last business day.
create or replace function rules.close_deadline(period text)
returns timestamptz
language plpgsql
stable
as $$
begin
  return rules.firm_instant(
    rules.last_business_day((to_date(period, 'YYYY-MM') + interval '1 month')::date) + interval '1 day'
  );
end
$$;

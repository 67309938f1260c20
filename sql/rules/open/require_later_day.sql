-- Refuse a day that isn't after today in the firm's time zone, or is more than a year ahead.
create or replace function rules.require_later_day(day date)
returns void
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_today constant date := rules.firm_time(now());
begin
  if (day > v_today and day <= v_today + 366) is not true then
    perform rules.refuse('day_not_valid', jsonb_build_object('day', day, 'first', v_today + 1, 'last', v_today + 366));
  end if;
end
$$;

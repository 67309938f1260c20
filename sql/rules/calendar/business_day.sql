-- The nth business day after a day: the nth weekday, and one weekday later for each holiday on a
-- weekday until then.
create or replace function rules.business_day(
  after_day date,
  number    integer
)
returns date
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_weekday constant integer := extract(isodow from after_day);
  v_monday  constant date := after_day - v_weekday + 1;
  v_nth     integer := least(v_weekday, 5) - 1 + number;  -- weekdays since that Monday
  v_day     date := v_monday + 7 * (v_nth / 5) + v_nth % 5;
  v_holiday date;
begin
  for v_holiday in select h.day from public.business_holidays h where h.day > after_day order by h.day loop
    exit when v_holiday > v_day;
    if extract(isodow from v_holiday) < 6 then
      v_nth := v_nth + 1;
      v_day := v_monday + 7 * (v_nth / 5) + v_nth % 5;
    end if;
  end loop;
  return v_day;
end
$$;

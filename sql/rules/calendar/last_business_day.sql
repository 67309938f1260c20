-- The last business day of the month that begins on a day. A month without one: the last weekday
-- before it.
create or replace function rules.last_business_day(month date)
returns date
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_day     date := month + interval '1 month - 1 day';
  -- the newest until v_day: an index has it, where a look-up of one day reads the whole small table
  v_holiday date := (select max(h.day) from public.business_holidays h where h.day <= v_day);
begin
  while extract(isodow from v_day) > 5 or v_day = v_holiday loop
    v_day := v_day - 1;
    if v_day < month then
      return month - case extract(isodow from month) when 1 then 3 when 7 then 2 else 1 end;
    end if;
    if v_holiday > v_day then
      v_holiday := (select max(h.day) from public.business_holidays h where h.day <= v_day);
    end if;
  end loop;
  return v_day;
end
$$;

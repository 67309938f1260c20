-- The last day of a month that is neither on a weekend nor a holiday.
create or replace function rules.last_business_day(in_month date)
returns date
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_day date := date_trunc('month', in_month::timestamp) + interval '1 month - 1 day';
begin
  while extract(isodow from v_day) > 5
    or exists (select from public.business_holidays h where h.day = v_day)
  loop
    v_day := v_day - 1;
  end loop;
  return v_day;
end
$$;

-- When the closes of the month that begins on a day are opened: on its last business day, at the
-- hour in the settings.
create or replace function rules.roll_at(month date)
returns timestamptz
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_day constant date := rules.last_business_day(month);
begin
  return (select (v_day + s.eom_open_at) at time zone s.time_zone from public.stage_settings s);
end
$$;

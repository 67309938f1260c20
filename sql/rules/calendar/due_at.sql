-- When the closes of the month that begins on a day are late: after the business day of the next
-- month in the settings.
create or replace function rules.due_at(month date)
returns timestamptz
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_end constant date := month + interval '1 month - 1 day';
begin
  return (
    select (rules.business_day(v_end, s.close_due_day) + 1)::timestamp at time zone s.time_zone
    from public.stage_settings s
  );
end
$$;

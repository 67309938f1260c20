-- When a monthly job is due in a month.
create or replace function jobs.due_in_month(
  job      text,
  in_month date
)
returns timestamptz
language plpgsql
stable
as $$
declare
  v_settings public.stage_settings := (select s from public.stage_settings s);
  v_first    date := date_trunc('month', in_month::timestamp);
begin
  return rules.firm_instant(case job
    when 'stage_autoroll_eom_open' then rules.last_business_day(v_first) + v_settings.eom_open_at
    when 'flag_autoclear_advisory_due' then v_first + (v_settings.advisory_clear_day - 1) + time '00:00'
  end);
end
$$;

-- Without a year's holidays, its last business days are computed wrong.
create or replace function ops.holidays_run_out()
returns setof ops.finding
language plpgsql
stable
as $$
begin
  return query
    select
      'holidays_run_out', 'warning',
      jsonb_build_object('last_day', h.last_day),
      format(
        'the table of holidays ends with %s: the last business day may come out wrong',
        coalesce(h.last_day::text, 'nothing')
      ),
      'insert the coming years into public.business_holidays'
    from (select max(b.day) as last_day from public.business_holidays b) h
    where coalesce(h.last_day, '-infinity') < rules.firm_time(now())::date + 365;
end
$$;

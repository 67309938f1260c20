-- The occurrences of a job before and after a moment.
create or replace function jobs.occurrences(
  job          text,
  at           timestamptz,
  out due_at   timestamptz,   -- the newest one at or before it
  out next_due timestamptz,   -- the first one after it
  out too_late boolean        -- whether due_at is past the catch-up days
)
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_job   record;
  v_today date;
  v_dues  timestamptz[];
begin
  select c.schedule, c.day, c.at into v_job from jobs.catalog(coalesce(job, '')) c;
  if at not between '2000-01-01' and '2200-01-01' then
    perform rules.refuse('moment_not_valid', jsonb_build_object('moment', at));
  end if;
  v_today := rules.firm_time(at);

  case
    when v_job.schedule = 'hourly' then
      v_dues := array[date_trunc('hour', at, 'UTC'), date_trunc('hour', at, 'UTC') + interval '1 hour'];
    when v_job.schedule = 'daily' then
      -- where daylight saving time repeats midnight, the second one counts: the newest can be yesterday's
      v_dues := array(
        select rules.firm_instant((v_today + days)::timestamp) from generate_series(-1, 1) as days
      );
    else
      v_dues := array(
        select rules.firm_instant(coalesce(m.first_day + (v_job.day - 1), m.last_business_day) + v_job.at)
        from rules.months((v_today - interval '1 month')::date, (v_today + interval '2 months')::date) m
      );
  end case;
  select max(due) filter (where due <= at), min(due) filter (where due > at)
  into due_at, next_due
  from unnest(v_dues) as due;
  too_late := v_today - rules.firm_time(due_at)::date > (select s.catch_up_days from public.stage_settings s);
end
$$;

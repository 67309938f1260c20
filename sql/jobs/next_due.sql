-- The first occurrence of a job after an instant.
create or replace function jobs.next_due(
  job text,
  at  timestamptz
)
returns timestamptz
language plpgsql
stable
as $$
declare
  v_today date := rules.firm_time(at);
  v_due   timestamptz;
begin
  case jobs.require_job(job)
    when 'hourly' then
      return date_trunc('hour', at, 'UTC') + interval '1 hour';
    when 'daily' then
      v_due := rules.firm_instant(v_today::timestamp);
      return case when v_due > at then v_due else rules.firm_instant((v_today + 1)::timestamp) end;
    else
      v_due := jobs.due_in_month(job, v_today);
      return case
        when v_due > at then v_due
        else jobs.due_in_month(job, (date_trunc('month', v_today::timestamp) + interval '1 month')::date)
      end;
  end case;
end
$$;

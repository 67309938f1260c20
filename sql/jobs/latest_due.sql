-- The newest occurrence of a job that is not after an instant.
create or replace function jobs.latest_due(
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
      return date_trunc('hour', at, 'UTC');
    when 'daily' then
      v_due := rules.firm_instant(v_today::timestamp);
      -- a midnight that comes twice is the second one
      return case when v_due <= at then v_due else rules.firm_instant((v_today - 1)::timestamp) end;
    else
      v_due := jobs.due_in_month(job, v_today);
      return case
        when v_due <= at then v_due
        else jobs.due_in_month(job, (date_trunc('month', v_today::timestamp) - interval '1 month')::date)
      end;
  end case;
end
$$;

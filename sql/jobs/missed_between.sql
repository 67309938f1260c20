-- How many occurrences there are from the first missed one (null: none) to the one before `due_at`.
create or replace function jobs.missed_between(
  job          text,
  first_missed timestamptz,
  due_at       timestamptz
)
returns integer
language plpgsql
stable
as $$
declare
  v_from date := rules.firm_time(first_missed);
  v_to   date := rules.firm_time(due_at);
begin
  return coalesce(case jobs.require_job(job)
    when 'hourly' then extract(epoch from due_at - first_missed) / 3600
    when 'daily' then v_to - v_from
    else 12 * (extract(year from v_to) - extract(year from v_from))
      + extract(month from v_to) - extract(month from v_from)
  end, 0)::integer;
end
$$;

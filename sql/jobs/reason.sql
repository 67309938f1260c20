-- Why a job makes a change, for the history.
create or replace function jobs.reason(
  job    text,
  action text,
  word   text,
  period text
)
returns text
language sql
immutable
parallel safe
return case job
  when 'stage_autoroll_eom_open' then 'the books of ' || period || ' are to be closed'
  when 'flag_autoclear_advisory_due' then 'the advisory talks of ' || period || ' are over'
  when 'flag_sales_tax_due' then 'sales tax is to be filed in ' || period
  when 'flag_seasonal' then case action when 'set' then 'the season begins' else 'the season is over' end
  else case action
    when 'set' then 'longer in its stage than its SLA allows'
    else 'no longer over its SLA, or waiting for the client'
  end
end;

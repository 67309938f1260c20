-- The jobs there are, and when each is due.
create or replace function jobs.catalog()
returns table (
  job         text,
  rhythm      text,
  description text
)
language sql
immutable
parallel safe
as $$
  values
    ('stage_autoroll_eom_open', 'monthly', 'last business day, 06:00: clients whose month closes go from weekly to eom_close'),
    ('flag_autoclear_advisory_due', 'monthly', 'day 16: clears advisory_due'),
    ('stage_stuck_detector', 'hourly', 'sets stuck where a client is longer in its stage than its SLA; clears it elsewhere'),
    ('flag_sales_tax_due', 'daily', 'sets sales_tax_due ten days before a filing is due, once a period'),
    ('flag_seasonal', 'daily', 'sets and clears the flags of the seasons')
$$;

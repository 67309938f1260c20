-- Whether a client with this schedule files sales tax in this month (1 to 12), which is the month
-- after the period.
create or replace function rules.files_in(
  sales_tax_schedule text,
  month              integer
)
returns boolean
language sql
immutable
parallel safe
return case sales_tax_schedule
  when 'monthly' then true
  when 'quarterly' then month % 3 = 1
  when 'annual' then month = 1
  else false
end;

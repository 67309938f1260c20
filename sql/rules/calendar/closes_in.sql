-- Whether a client with this cadence has a close for this month (1 to 12).
create or replace function rules.closes_in(
  close_cadence text,
  month         integer
)
returns boolean
language sql
immutable
parallel safe
return case close_cadence
  when 'monthly' then true
  when 'quarterly' then month % 3 = 0
  when 'annual' then month = 12
  else false
end;

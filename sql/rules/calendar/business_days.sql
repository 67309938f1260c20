-- The number of business days after one day, up to and including another: from Friday to Monday it
-- is 1.
create or replace function rules.business_days(
  after_day date,
  to_day    date
)
returns integer
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_monday constant date := date '2001-01-01';
begin
  return 5 * ((to_day - v_monday + 1) / 7) + least((to_day - v_monday + 1) % 7, 5)
    - 5 * ((after_day - v_monday + 1) / 7) - least((after_day - v_monday + 1) % 7, 5)
    - (
      select count(*)
      from public.business_holidays h
      where h.day > after_day
        and h.day <= to_day
        and extract(isodow from h.day) < 6
    );
end
$$;

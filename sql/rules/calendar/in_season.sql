-- Whether a day is in a season, including its first and last day. A season can span the end of the
-- year.
create or replace function rules.in_season(
  day        date,
  from_month integer,
  from_day   integer,
  to_month   integer,
  to_day     integer
)
returns boolean
language sql
immutable
parallel safe
return case
  when (from_month, from_day) <= (to_month, to_day)
    then (extract(month from day), extract(day from day)) between (from_month, from_day) and (to_month, to_day)
  else (extract(month from day), extract(day from day)) >= (from_month, from_day)
    or (extract(month from day), extract(day from day)) <= (to_month, to_day)
end;

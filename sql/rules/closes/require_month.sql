-- A month as YYYY-MM: the newest month that was rolled if none is given. Another text is refused with month_not_valid.
create or replace function rules.require_month(month text)
returns text
language plpgsql
stable
as $$
#variable_conflict use_variable
begin
  if month <> '' and (length(month) > 7 or month !~ '^(19|20)[0-9]{2}-(0[1-9]|1[0-2])$') then
    perform rules.refuse('month_not_valid', jsonb_build_object('month', left(month, 200)));
  end if;
  return coalesce(nullif(month, ''), rules.close_period(now()));
end
$$;

-- The local time in the firm's time zone at a moment.
create or replace function rules.firm_time(at timestamptz)
returns timestamp
language plpgsql
stable
as $$
#variable_conflict use_variable
begin
  return at at time zone (select s.time_zone from public.stage_settings s);
end
$$;

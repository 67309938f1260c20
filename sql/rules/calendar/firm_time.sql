-- What the clock on the firm's wall says at an instant.
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

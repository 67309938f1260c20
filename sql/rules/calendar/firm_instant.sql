-- The instant at which the clock on the firm's wall says this. A time that a change of clocks leaves out is
-- the moment after the gap; of one that comes twice, the second.
create or replace function rules.firm_instant(wall timestamp)
returns timestamptz
language plpgsql
stable
as $$
#variable_conflict use_variable
begin
  return wall at time zone (select s.time_zone from public.stage_settings s);
end
$$;

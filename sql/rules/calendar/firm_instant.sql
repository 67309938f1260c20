-- The moment of a local time in the firm's time zone. A time that a clock change skips is the
-- moment after the gap. Of a time that occurs twice, it is the second.
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

-- The month that is being closed at a moment, as YYYY-MM, in the firm's time zone: this month from
-- the 16th on, before that the month before. A close that begins now is for this month unless the
-- caller passes another.
create or replace function rules.close_period(at timestamptz)
returns text
language plpgsql
stable
as $$
begin
  return to_char(
    at at time zone (select s.time_zone from public.stage_settings s) - interval '15 days', 'YYYY-MM'
  );
end
$$;

-- The month that is being closed at an instant, as YYYY-MM: by the firm's clock this month from the 16th on, before
-- that the month before. A close that begins now is the close of this month, unless who opens it says otherwise.
create or replace function rules.close_period(at timestamptz)
returns text
language plpgsql
stable
as $$
begin
  return to_char(rules.firm_time(at) - interval '15 days', 'YYYY-MM');
end
$$;

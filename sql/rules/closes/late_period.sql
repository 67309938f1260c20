-- The newest month whose close was due by a moment: a client that is still in its close, or in an earlier one, is late.
-- Not inlined: most queries that call it never reach the call, and the calendar would double their plans.
create or replace function rules.late_period(at timestamptz)
returns text
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_day    date := at::date;
  v_period text;
begin
  for i in 1 .. 5 loop
    v_period := (select m.period from rules.months(v_day, v_day) m where m.due_at <= at);
    exit when v_period is not null;
    v_day := v_day - interval '1 month';
  end loop;
  return v_period;
end
$$;

-- The newest month whose close was due by a moment: a client that is still in its close, or in an earlier one, is late.
-- Not inlined: most queries that call it never reach the call, and the calendar would double their plans.
create or replace function rules.late_period(at timestamptz)
returns text
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_month date := date_trunc('month', at);
begin
  for i in 1 .. 5 loop
    if rules.due_at(v_month) <= at then
      return to_char(v_month, 'YYYY-MM');
    end if;
    v_month := v_month - interval '1 month';
  end loop;
  return null;
end
$$;

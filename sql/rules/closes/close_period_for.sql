-- The month of a move into a close that names none: the newest month whose roll is past and that the client owes or
-- has. With cadence none: any such month since the client was added. If there is none: the next month that is rolled
-- and that its cadence has.
create or replace function rules.close_period_for(client rules.client_state)
returns text
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_cadence constant text := (client.fields).close_cadence;
  v_zone    constant text := (select s.time_zone from public.stage_settings s);
  v_today   constant date := now() at time zone v_zone;
  v_added   constant date := coalesce(
    (
      select h.occurred_at at time zone v_zone
      from public.stage_history h
      where h.client_id = client.id
      order by h.version
      limit 1
    ),
    v_today
  );
  v_month   date := date_trunc('month', v_today + interval '1 month');
  v_period  text;
  v_after   date;      -- the first day after the month
  v_is_past boolean;   -- its roll
  v_is_owed boolean;
  v_is_new  boolean := false;  -- added too late for this month, so for all earlier ones
  v_has     text[];    -- months with a close in force
  v_next    date;
begin
  -- No cadence has a longer gap than a year. The calendar is read for the months that it decides: around today, and
  -- around the day on which the client was added.
  for i in 1 .. 15 loop
    v_after := v_month + interval '1 month';
    v_is_past := v_today >= v_after;
    if not v_is_past and v_today >= v_month - 3 then
      v_is_past := rules.roll_at(v_month) <= now();
    end if;
    if not v_is_past then
      v_next := v_month;
    else
      v_period := to_char(v_month, 'YYYY-MM');
      v_is_owed := v_cadence = 'none' or rules.closes_in(v_cadence, extract(month from v_month)::integer);
      if v_is_owed and not v_is_new and v_added >= v_after then
        v_is_new := v_cadence = 'none' or v_added >= rules.due_at(v_month) at time zone v_zone;
      end if;
      if v_is_owed and not v_is_new then
        return v_period;
      end if;
      if v_has is null then
        v_has := array(
          select h.close_period
          from rules.moves() h
          where h.client_id = client.id
            and h.close_period between to_char(v_month - interval '14 months', 'YYYY-MM') and v_period
            and h.is_in_force
        );
      end if;
      if v_period = any (v_has) then
        return v_period;
      end if;
      exit when v_has = '{}' and v_is_new;
    end if;
    v_month := v_month - interval '1 month';
  end loop;
  while v_cadence <> 'none' and not rules.closes_in(v_cadence, extract(month from v_next)::integer) loop
    v_next := v_next + interval '1 month';
  end loop;
  return to_char(v_next, 'YYYY-MM');
end
$$;

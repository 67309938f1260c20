-- Month-end: opens the close of each client that owes it and is in weekly. Until the next month's roll it runs every
-- hour, for clients that come back to weekly. The others that owe the close are listed by the reason why it isn't open.
create or replace function jobs.stage_autoroll_eom_open(
  due_at timestamptz,
  as_of  timestamptz,
  among  bigint[]   -- only these clients; null: all
)
returns setof jobs.step
language plpgsql
stable
-- planning takes longer than an hour's work, and the range of ids lets one plan serve few clients and all
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_variable
declare
  v_day   constant date   := rules.firm_time(due_at);
  v_from  constant bigint := coalesce((select min(id) from unnest(among) as id), -9223372036854775808);
  v_to    constant bigint := coalesce((select max(id) from unnest(among) as id), 9223372036854775807);
  v_month record;
  v_taken bigint[] := '{}';   -- clients whose close of an earlier month this run opens
  v_owed  record;
begin
  -- a month without a business day is rolled before it begins, perhaps together with the month before
  for v_month in
    select m.period, m.due_at, m.last_business_day < m.first_day as has_no_business_day
    from rules.months(v_day, (v_day + interval '1 month')::date) m
    where m.roll_at = due_at
    order by 1
  loop
    for v_owed in
      select o.why, array_agg(o.client_id) as client_ids
      from (
        select case when m.client_id in (select unnest(v_taken)) then 'still_closing' else m.why end as why, m.client_id
        from rules.owed_closes(v_month.period, v_month.due_at, as_of) m
        where m.client_id between v_from and v_to
          and (among is null or m.client_id in (select unnest(among)))
      ) o
      group by o.why
    loop
      if v_owed.why = 'ready' then
        v_taken := v_taken || v_owed.client_ids;
        return next ('move', 'eom_close', v_month.period, format(
          'the books of %s are to be closed%s', v_month.period,
          case when v_month.has_no_business_day then '; the month has no business day' else '' end
        ), null, v_owed.client_ids)::jobs.step;
      elsif among is null then
        return next ('name', v_owed.why, v_month.period, null, null, v_owed.client_ids)::jobs.step;
      end if;
    end loop;
  end loop;
end
$$;

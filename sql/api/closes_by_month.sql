create or replace function api.closes_by_month(
  months integer default 6,
  month  text default null
)
returns api."application/json"
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
-- an index finds the closes of a client, however many rows the planner expects
set random_page_cost = 1.1
set enable_seqscan = off
set jit = off
as $$
#variable_conflict use_variable
declare
  v_actor constant text := rules.current_actor();
  v_zone constant text := (select s.time_zone from public.stage_settings s);
  v_last date;
begin
  -- GUARD
  v_last := to_date(rules.require_month(month), 'YYYY-MM');
  if (months between 1 and 24) is not true then
    perform rules.refuse('months_not_valid', jsonb_build_object('months', months));
  end if;

  -- ACT: each close is read once, and counted for its month and for its owner
  return (
    with asked as materialized (
      select m.period, m.due_at
      from rules.months((v_last - (months - 1) * interval '1 month')::date, v_last) m
    ),
    found as materialized (
      select
        a.period, f.stage_owner as owner, f.client_id, f.state, f.late,
        case when f.state = 'closed' then (f.opened_at at time zone v_zone)::date end as opened_on,
        case when f.state = 'closed' then (f.signed_off_at at time zone v_zone)::date end as closed_on
      from asked a
      left join lateral rules.month_closes(a.period, a.due_at) f on true
    ),
    -- many closes begin and end on the same days
    lengths as materialized (
      select d.*, rules.business_days(d.opened_on, d.closed_on) as business_days
      from (select distinct f.opened_on, f.closed_on from found f where f.closed_on is not null) d
    ),
    counted as (
      select
        f.period,
        f.owner,
        grouping(f.owner) = 1 as is_firm,
        count(f.client_id) as clients,
        count(*) filter (where f.state = 'not_opened') as not_opened,
        count(*) filter (where f.state = 'open') as open,
        count(*) filter (where f.state = 'in_review') as in_review,
        count(*) filter (where f.state = 'paused') as paused,
        count(*) filter (where f.state = 'closed') as closed,
        count(*) filter (where f.late) as late,
        percentile_disc(0.5) within group (order by l.business_days) filter (where f.state = 'closed') as median_business_days
      from found f
      left join lengths l on l.opened_on = f.opened_on and l.closed_on = f.closed_on
      group by f.period, rollup(f.owner)
    ),
    shown as (
      select
        c.*,
        jsonb_build_object(
          'clients', c.clients,
          'not_opened', c.not_opened,
          'open', c.open,
          'in_review', c.in_review,
          'paused', c.paused,
          'closed', c.closed,
          'late', c.late,
          'median_business_days', c.median_business_days
        ) as counts
      from counted c
    )
    select json_build_object('months', json_agg(
      jsonb_build_object('month', a.period, 'due_at', a.due_at) || firm.counts || jsonb_build_object('owners', (
        select coalesce(jsonb_agg(
          jsonb_build_object('owner', s.owner) || s.counts
          order by s.clients desc, s.owner
        ), '[]')
        from shown s
        where s.period = a.period
          and not s.is_firm
          and s.clients > 0
      ))
      order by a.period
    ))
    from asked a
    join shown firm on firm.period = a.period and firm.is_firm
  );
end
$$;

comment on function api.closes_by_month(integer, text) is
'Count the closes of the last months, in total and for each owner.
Any actor can read. months: how many, 1 to 24. month: the last of them, YYYY-MM; the newest month that was rolled if omitted.
Returns {months}, the oldest first: month, due_at, and for the closes that the function closes lists the numbers of clients, not_opened,
open, in_review, paused, closed and late; median_business_days of those that were signed off (null: none was); and owners, the owner of the most
clients first, with the same numbers (null: no owner).
Errors: month_not_valid, months_not_valid (422).';

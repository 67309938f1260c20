-- Shares of a hundred. Ages are days in the stage; within the SLA, so that the detector has nothing to do.
insert into public.clients (
  id, name, slug, stage, stage_entered_at, stage_owner, service_tier, close_cadence, sales_tax_schedule,
  flags, returning_to_stage, close_period, version
)
select
  n,
  'Client ' || n,
  'bench-' || n,
  s.stage,
  entered.at,
  case when n %% 500 = 7 then 'user:team' else 'user:bookkeeper-' || n %% (1 + %(owners)s) end,
  (array['recurring_only', 'recurring_plus_advisory', 'full_service'])[1 + n %% 3],
  case when n %% 20 = 0 then 'quarterly' when n %% 50 = 1 then 'annual' else 'monthly' end,
  (array['none', 'none', 'monthly', 'quarterly', 'annual'])[1 + n %% 5],
  case when n %% 25 = 3 then '{client_blocking}'::text[] when n %% 40 = 7 then '{advisory_due}' else '{}' end,
  case when s.stage like 'paused%%' then 'weekly' end,
  case
    when s.stage in ('eom_close', 'eom_review') then to_char(
      entered.at at time zone 'UTC'
      - make_interval(months => 1, days => case s.stage when 'eom_review' then 8 else 0 end),
      'YYYY-MM'
    )
  end,
  %(rows)s - 1
from generate_series(%(first)s::bigint, %(last)s) n
cross join lateral (
  select
    case
      when n %% 100 < 80 then 'weekly'
      else (array[
        'onboarding', 'cleanup', 'eom_close', 'eom_review', 'paused_client', 'paused_internal', 'offboarding'
      ])[1 + n %% 7]
    end as stage
) as chosen
cross join lateral (
  select chosen.stage, coalesce((select max_days from public.stages where stage = chosen.stage), 60) as days
) as s
cross join lateral (select now() - make_interval(hours => (24 * (1 + n %% s.days))::integer - 12) as at) as entered

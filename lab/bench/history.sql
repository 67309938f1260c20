-- Ordered by client and version, because each row's hash covers the row before it. `back` is how many rows ago.
insert into public.stage_history (
  client_id, version, from_stage, to_stage, from_entered_at, flag_added, flag_removed, occurred_at, recorded_at,
  actor_type, actor_id, channel, trigger_type, reason, payload, close_period
)
select
  c.id,
  version,
  case when version > 0 and c.place is not null then c.round[1 + (c.place - back + 29999) %% 3] end,
  case when version = 0 and c.place is null then c.stage else step.to_stage end,
  case when version > 0 and c.place is not null then step.before end,
  case when c.place is null and version %% 2 = 1 then 'season_1099' end,
  case when c.place is null and version %% 2 = 0 and version > 0 then 'season_1099' end,
  step.at,
  step.at,
  case when step.by = 'agent:tally' then 'agent' when step.by like 'user:%%' then 'human' else 'system' end,
  step.by,
  case when step.by like 'system:cron:%%' then 'cron' else 'api' end,
  case when step.by = 'agent:tally' then 'agent_action' when step.by like 'user:%%' then 'manual' else 'auto_time' end,
  case when version = 0 then 'generated' end,
  case
    when step.by like 'system:cron:%%' then jsonb_build_object('period', step.period, 'run_id', step.run_id)
    else '{}'
  end,
  -- the month of the opening: this row's, or that of one or two rows ago
  case
    when c.place is not null and (version > 0 or step.to_stage <> 'weekly') then to_char(
      c.stage_entered_at at time zone 'UTC' - make_interval(
        months => 1 + (back + step.since_opening) / 3, days => 8 * ((back + step.since_opening) %% 3)
      ),
      'YYYY-MM'
    )
  end
from (
  select
    c.id, c.stage, c.stage_entered_at, c.stage_owner, cycle.round, array_position(cycle.round, c.stage) - 1 as place
  from public.clients c
  cross join (select array['weekly', 'eom_close', 'eom_review'] as round) as cycle
  where c.id between %(first)s and %(last)s
) as c
cross join generate_series(0, %(rows)s - 1) as version
cross join lateral (select %(rows)s - 1 - version as back) as ago
cross join lateral (
  select
    arrived.at,
    arrived.before,
    to_char(arrived.at at time zone 'UTC' - interval '1 month', 'YYYY-MM') as period,
    (extract(year from arrived.at) * 12 + extract(month from arrived.at))::bigint as run_id,
    reached.to_stage,
    case reached.to_stage when 'eom_close' then 0 when 'eom_review' then 1 else 2 end as since_opening,
    case
      when version = 0 then 'system:install'
      when reached.to_stage = 'eom_close' then 'system:cron:stage_autoroll_eom_open'
      when reached.to_stage = 'eom_review' then 'agent:tally'
      else c.stage_owner
    end as by
  from (select c.round[1 + (c.place - back + 30000) %% 3] as to_stage) as reached
  cross join lateral (
    select
      c.stage_entered_at - make_interval(months => back / 3, days => 8 * (back %% 3)) as at,
      c.stage_entered_at - make_interval(months => (back + 1) / 3, days => 8 * ((back + 1) %% 3)) as before
  ) as arrived
) as step
order by c.id, version

-- What the month-end roll changes, without rules.
with changed as (
  update public.clients c
  set stage = 'eom_close', stage_entered_at = now(), close_period = '2026-12', version = c.version + 1
  where c.stage = 'weekly' and c.active and c.close_cadence <> 'none'
  returning c.id, c.version
)
insert into public.stage_history (
  client_id, version, from_stage, to_stage, from_entered_at,
  actor_type, actor_id, channel, trigger_type, reason, payload, close_period
)
select id, version, 'weekly', 'eom_close', now(), 'system', 'system:cron:bare', 'cron', 'auto_time',
       'the books of 2026-12 are to be closed',
       '{"run_id": 1, "due_at": "2026-12-31T11:00:00+00:00", "period": "2026-12"}', '2026-12'
from changed

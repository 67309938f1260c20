-- What the stuck detector changes, without rules.
with changed as (
  update public.clients c
  set flags = array_append(c.flags, 'stuck'), version = c.version + 1
  where c.id = any (%(ids)s)
  returning c.id, c.version
)
insert into public.stage_history (
  client_id, version, flag_added, actor_type, actor_id, channel, trigger_type, reason, payload
)
select id, version, 'stuck', 'system', 'system:cron:bare', 'cron', 'auto_time', 'a reason as long as a job''s',
       '{"run_id": 1, "due_at": "2026-05-29T11:00:00+00:00"}'
from changed

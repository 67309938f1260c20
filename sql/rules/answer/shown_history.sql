-- History rows as every answer shows them. The columns are listed, so that a column that the host
-- adds doesn't appear.
create or replace view rules.shown_history as
select
  h.id,
  h.client_id,
  h.from_stage,
  h.to_stage,
  h.flag_added,
  h.flag_removed,
  h.occurred_at,
  h.actor_type,
  h.actor_id,
  h.channel,
  h.on_behalf_of,
  h.triggered_by,
  h.trigger_type,
  h.reason,
  h.payload,
  h.external_id,
  h.version,
  h.xid,
  h.from_entered_at,
  h.from_returning_to,
  h.close_period,
  h.batch,
  -- only of a change that was made long after its transaction began
  case when h.recorded_at > h.occurred_at + interval '1 minute' then h.recorded_at end as recorded_at,
  rules.person_of(h.actor_id, h.on_behalf_of, h.payload) as person
from public.stage_history as h;

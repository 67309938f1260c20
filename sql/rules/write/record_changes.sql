-- WRITE, first half: the history rows of changes, each with its client's next version. The one place that writes
-- history; answers how many rows it wrote.
create or replace function rules.record_changes(changes rules.change[])
returns bigint
language plpgsql
volatile
-- An array's length is known only when it comes, and asking for a plan of its own would cost more than one change.
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_variable
declare
  v_rows bigint;
begin
  insert into public.stage_history (
    client_id, version, from_stage, to_stage, from_entered_at, from_returning_to, flag_added, flag_removed,
    actor_type, actor_id, channel, on_behalf_of, triggered_by, trigger_type, reason, payload, external_id,
    row_hash
  )
  select
    h.client_id, h.version, h.from_stage, h.to_stage, h.from_entered_at, h.from_returning_to, h.flag_added, h.flag_removed,
    h.actor_type, h.actor_id, h.channel, h.on_behalf_of, h.triggered_by, h.trigger_type, h.reason, h.payload, h.external_id,
    -- the row before, for the trigger that hashes: looked up here it costs a third of what it costs there
    (select b.row_hash from public.stage_history b where b.client_id = h.client_id and b.version = h.version - 1)
  from unnest(changes) as ch (context, before, after)
  cross join lateral rules.history_rows(
    ch.context, ch.before, ch.after,
    -- the query in parentheses is run once for all of them, and only where a close begins
    case when (ch.after).stage = 'eom_close' then (select rules.close_period(now())) end
  ) h;
  get diagnostics v_rows = row_count;
  return v_rows;
end
$$;

-- WRITE, first half: the history rows of changes. The one writer of history. Returns how many rows it wrote.
create or replace function rules.write_history(changes rules.change[])
returns bigint
language plpgsql
volatile
as $$
#variable_conflict use_variable
declare
  v_rows bigint;
begin
  if rules.has_old_snapshot() then
    perform rules.refuse('retry');
  end if;
  insert into public.stage_history (
    id, client_id, version, from_stage, to_stage, from_entered_at, from_returning_to, close_period, flag_added,
    flag_removed, actor_type, actor_id, channel, on_behalf_of, triggered_by, trigger_type, reason, payload,
    external_id, batch, row_hash
  )
  select
    case
      when (ch.after).id = rules.trial_client() then -coalesce((ch.before).version, -1) - h.nth - 1
      else nextval('public.stage_history_id_seq')
    end,
    (ch.after).id,
    coalesce((ch.before).version, -1) + h.nth,
    h.from_stage,
    h.to_stage,
    case when h.from_stage is not null then (ch.before).stage_entered_at end,
    case when h.from_stage is not null then (ch.before).returning_to_stage end,
    -- a move has the month of the close that it opens, continues or leaves
    case when h.to_stage is not null then coalesce((ch.before).close_period, (ch.after).close_period) end,
    h.flag_added,
    h.flag_removed,
    rules.actor_type((ch.context).actor_id),
    (ch.context).actor_id,
    (ch.context).channel,
    (ch.context).on_behalf_of,
    (ch.context).triggered_by,
    case
      when (ch.context).rolls_back is not null then 'rollback'
      when (ch.context).override then 'manual_override'
      when (ch.context).channel = 'event_webhook' and (ch.context).triggered_by is not null then 'auto_event'
      when (ch.context).actor_id like rules.job_actor('%') then coalesce((ch.context).trigger_type, 'auto_time')
      when (ch.context).actor_id like 'agent:%' then 'agent_action'
      else 'manual'
    end,
    (ch.context).reason,
    coalesce((ch.context).payload, '{}')
      || case
        when (ch.context).rolls_back is not null then jsonb_build_object('rolls_back', (ch.context).rolls_back)
        else '{}'
      end
      || h.facts,
    -- the first row of a change has its key
    case when h.nth = 1 then (ch.context).external_id end,
    (ch.context).batch,
    -- for the trigger that hashes the row: looking up the previous row here costs a third of a look-up there
    (
      select b.row_hash
      from public.stage_history b
      where b.client_id = (ch.after).id
        and b.version >= coalesce((ch.before).version, -1) + h.nth - 1
      order by b.version  -- so that no index on client_id alone is used, as in answer_items
      limit 1
    )
  from unnest(changes) as ch
  cross join lateral rules.history_rows(ch.before, ch.after) h;
  get diagnostics v_rows = row_count;

  -- With NOTIFY, only one transaction of the database can commit at a time. With eight writers, a NOTIFY from each
  -- reduced their rate to a quarter; a NOTIFY only from the first of concurrent writers keeps nine tenths. A change
  -- that another one commits a moment later wakes no reader, so readers also poll every few seconds.
  if pg_try_advisory_xact_lock(hashtextextended('atlas_changes', 0)) then
    perform pg_notify('atlas_changes', '');
  end if;
  return v_rows;
end
$$;

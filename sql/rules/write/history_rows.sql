-- What history says of a change: one row for the move, one for each flag, one for the other fields, in the order in
-- which they take the client's next versions. A new client has one row for its first state, which is version 0.
create or replace function rules.history_rows(
  context rules.change_context,
  before  rules.client_state,
  after   rules.client_state,
  month   text   -- of a close that begins now
)
returns setof rules.history_row
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_default constant rules.client_state := rules.default_client();
  v_is_new  constant boolean := before.id is null;
  v_moved   constant boolean := not v_is_new and before.stage <> after.stage;
  v_flagged constant boolean := v_is_new or before.flags <> after.flags;
  v_row     rules.history_row;  -- what every row of the change says
  v_first   rules.history_row;
begin
  v_row := row(
    after.id, coalesce(before.version, -1), null, null, null, null, null, null,
    rules.actor_type(context.actor_id), context.actor_id, context.channel, context.on_behalf_of, context.triggered_by,
    case
      when context.rolls_back is not null then 'rollback'
      when context.override then 'manual_override'
      when context.channel = 'event_webhook' and context.triggered_by is not null then 'auto_event'
      when context.actor_id like 'system:cron:%' then coalesce(context.trigger_type, 'auto_time')
      when context.actor_id like 'agent:%' then 'agent_action'
      else 'manual'
    end,
    context.reason, coalesce(context.payload, '{}'), context.external_id
  )::rules.history_row;
  if context.rolls_back is not null then
    v_row.payload := v_row.payload || jsonb_build_object('rolls_back', context.rolls_back);
  end if;

  if v_is_new or v_moved then
    v_row.version := v_row.version + 1;
    v_first := v_row;
    v_first.to_stage := after.stage;
    if v_is_new then
      -- of one that a program wrote which knows Atlas's own columns only, there is nothing to say
      if (after.stage, after.flags) <> (v_default.stage, v_default.flags) or rules.fields_differ(after, v_default) then
        v_first.payload := v_row.payload || jsonb_build_object('initial', rules.fields_json(after));
      end if;
      v_row.external_id := null;
    else
      v_first.from_stage := before.stage;
      v_first.from_entered_at := before.stage_entered_at;
      v_first.from_returning_to := before.returning_to_stage;
      if v_flagged then
        -- leaving a stage takes `stuck` along, and a rollback may bring it back: that is part of the move
        v_first.flag_added := case when 'stuck' = any (after.flags) and 'stuck' <> all (before.flags) then 'stuck' end;
        v_first.flag_removed := case when 'stuck' = any (before.flags) and 'stuck' <> all (after.flags) then 'stuck' end;
      end if;
      -- a close begins: its month is a fact on its row, unless the caller said which
      if after.stage = 'eom_close' and before.stage <> 'eom_review' and before.returning_to_stage is null
        and context.rolls_back is null and not v_row.payload ? 'period'
      then
        v_first.payload := v_row.payload || jsonb_build_object('period', month);
      end if;
    end if;
    return next v_first;
  end if;

  if v_flagged then
    for v_row.flag_added, v_row.flag_removed in
      select f.added, f.removed
      from rules.flag_changes(coalesce(before.flags, '{}'), after.flags, v_moved) f
      order by f.ordinal
    loop
      v_row.version := v_row.version + 1;
      return next v_row;
    end loop;
  end if;

  if not v_is_new and rules.fields_differ(before, after) then
    v_row.version := v_row.version + 1;
    v_row.flag_added := null;
    v_row.flag_removed := null;
    v_row.payload := v_row.payload || jsonb_build_object('changed', rules.field_changes(before, after));
    return next v_row;
  end if;
end
$$;

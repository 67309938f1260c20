-- What history says of a change: one row for the move, one for each flag, one for the other fields, in the order in
-- which they take the client's next versions. A new client has one row for its first state, which is version 0.
create or replace function rules.history_rows(
  context rules.change_context,
  before  rules.client_state,
  after   rules.client_state
)
returns table (
  client_id         bigint,
  version           bigint,
  from_stage        text,
  to_stage          text,
  from_entered_at   timestamptz,
  from_returning_to text,
  flag_added        text,
  flag_removed      text,
  actor_type        text,
  actor_id          text,
  channel           text,
  on_behalf_of      text,
  triggered_by      text,
  trigger_type      text,
  reason            text,
  payload           jsonb,
  external_id       text
)
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_is_new  constant boolean := before.id is null;
  v_moved   constant boolean := not v_is_new and before.stage <> after.stage;
  v_said    constant jsonb := coalesce(context.payload, '{}');
  v_changed jsonb;
begin
  client_id := after.id;
  version := coalesce(before.version, -1);
  actor_type := rules.actor_type(context.actor_id);
  actor_id := context.actor_id;
  channel := context.channel;
  on_behalf_of := context.on_behalf_of;
  triggered_by := context.triggered_by;
  trigger_type := rules.trigger_type(context);
  reason := context.reason;
  payload := v_said;
  external_id := context.external_id;
  if context.rolls_back is not null then
    payload := payload || jsonb_build_object('rolls_back', context.rolls_back);
  end if;

  if v_is_new then
    version := version + 1;
    to_stage := after.stage;
    if not rules.is_plain_client(after) then
      payload := payload || jsonb_build_object('initial', rules.fields_json(after));
    end if;
    return next;
  elsif v_moved then
    version := version + 1;
    from_stage := before.stage;
    to_stage := after.stage;
    from_entered_at := before.stage_entered_at;
    from_returning_to := before.returning_to_stage;
    if before.flags <> after.flags then
      -- leaving a stage takes `stuck` along, and a rollback may bring it back: that is part of the move
      flag_added := case when 'stuck' = any (after.flags) and 'stuck' <> all (before.flags) then 'stuck' end;
      flag_removed := case when 'stuck' = any (before.flags) and 'stuck' <> all (after.flags) then 'stuck' end;
    end if;
    -- a close begins: its month is a fact on its row
    if after.stage = 'eom_close' and before.stage <> 'eom_review' and before.returning_to_stage is null
      and context.rolls_back is null and not payload ? 'period'
    then
      payload := payload || jsonb_build_object('period', rules.close_period(now()));
    end if;
    return next;
  end if;

  from_stage := null;
  to_stage := null;
  from_entered_at := null;
  from_returning_to := null;
  payload := v_said;
  if context.rolls_back is not null then
    payload := payload || jsonb_build_object('rolls_back', context.rolls_back);
  end if;
  if v_is_new or before.flags <> after.flags then
    for flag_added, flag_removed in
      select f.added, f.removed
      from rules.flag_changes(coalesce(before.flags, '{}'), after.flags, v_moved) f
      order by f.ordinal
    loop
      version := version + 1;
      external_id := case when not v_is_new then context.external_id end;
      return next;
    end loop;
  end if;

  if not v_is_new then
    v_changed := rules.field_changes(before, after);
    if v_changed is not null then
      version := version + 1;
      flag_added := null;
      flag_removed := null;
      payload := payload || jsonb_build_object('changed', v_changed);
      return next;
    end if;
  end if;
end
$$;

-- What history says of a change: one row for the move, one for each flag, one for the other fields, in the order in
-- which they take the client's next versions. A new client has one row for its first state, which is version 0.
-- SQL, so that it becomes part of the statement that records.
create or replace function rules.history_rows(
  context rules.change_context,
  before  rules.client_state,
  after   rules.client_state
)
returns table (
  version           bigint,
  from_stage        text,
  to_stage          text,
  from_entered_at   timestamptz,
  from_returning_to text,
  flag_added        text,
  flag_removed      text,
  payload           jsonb
)
language sql
stable
as $$
  select
    before.version + 1,
    before.stage,
    after.stage,
    before.stage_entered_at,
    before.returning_to_stage,
    case when 'stuck' = any (after.flags) and 'stuck' <> all (before.flags) then 'stuck' end,
    case when 'stuck' = any (before.flags) and 'stuck' <> all (after.flags) then 'stuck' end,
    rules.history_payload(context) || case
      -- a close begins: its month is a fact on its row
      when after.stage = 'eom_close' and before.stage <> 'eom_review' and before.returning_to_stage is null
        and context.rolls_back is null and (context.payload ? 'period') is not true
        then jsonb_build_object('period', rules.close_period(now()))
      else '{}'
    end
  where before.stage <> after.stage
  union all
  select
    before.version + (before.stage <> after.stage)::integer + f.ordinal,
    null, null, null, null,
    f.added,
    f.removed,
    rules.history_payload(context)
  from rules.flag_changes(before.flags, after.flags, before.stage <> after.stage) f
  where before.flags <> after.flags
  union all
  select
    before.version + (before.stage <> after.stage)::integer + 1
      + (select count(*) from rules.flag_changes(before.flags, after.flags, before.stage <> after.stage)),
    null, null, null, null, null, null,
    rules.history_payload(context) || jsonb_build_object('changed', f.changed)
  from rules.field_changes(before, after) as f (changed)
  where before.id is not null
    and f.changed is not null
  union all
  select
    0,
    null, after.stage, null, null, null, null,
    rules.history_payload(context) || case
      when rules.is_plain_client(after) then '{}'
      else jsonb_build_object('initial', rules.fields_json(after))
    end
  where before.id is null
  union all
  select f.ordinal, null, null, null, null, f.added, null, rules.history_payload(context)
  from rules.flag_changes('{}', after.flags, false) f
  where before.id is null
$$;

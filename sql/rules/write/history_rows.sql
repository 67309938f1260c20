-- The history rows of one change: one for the move or the creation, one for each flag, one for the fields. They take the
-- client's next versions in this order. SQL, so that it is inlined into record_changes.
create or replace function rules.history_rows(
  before      rules.client_state,   -- null: a new client
  after       rules.client_state,
  is_rollback boolean,
  has_period  boolean               -- the caller gave the month of the close
)
returns table (
  nth          bigint,
  from_stage   text,
  to_stage     text,
  flag_added   text,
  flag_removed text,
  facts        jsonb                -- what this system adds to the payload
)
language sql
stable
as $$
  select
    1,
    before.stage,
    after.stage,
    -- leaving a stage removes `stuck`, and a rollback can restore it: both are part of the move
    case when 'stuck' = any (after.flags) and 'stuck' <> all (before.flags) then 'stuck' end,
    case when 'stuck' = any (before.flags) and 'stuck' <> all (after.flags) then 'stuck' end,
    case
      -- a close begins, and its month is a fact on its row
      when after.stage = 'eom_close' and before.stage <> 'eom_review' and before.returning_to_stage is null
        and not is_rollback and not has_period
        then jsonb_build_object('period', (select rules.close_period(now())))
      -- a new client that only has Atlas's own columns needs no record of its first fields
      when before.id is null
        and (after.stage, after.flags, after.fields) is distinct from (
          (rules.default_client()).stage, (rules.default_client()).flags, (rules.default_client()).fields
        )
        then jsonb_build_object('initial', to_jsonb(after.fields))
      else '{}'
    end
  where before.stage is distinct from after.stage
  union all
  select
    (before.stage is distinct from after.stage)::integer + f.ordinal, null, null, f.added, f.removed, '{}'
  from rules.flag_changes(coalesce(before.flags, '{}'), after.flags, before.stage is distinct from after.stage) f
  where before.flags is distinct from after.flags
  union all
  select
    after.version - coalesce(before.version, -1), null, null, null, null,
    jsonb_build_object('changed', (
      select jsonb_object_agg(o.key, jsonb_build_object('from', o.value, 'to', to_jsonb(after.fields) -> o.key))
      from jsonb_each(to_jsonb(before.fields)) as o
      where o.value is distinct from to_jsonb(after.fields) -> o.key
    ))
  where before.id is not null
    and before.fields is distinct from after.fields
$$;

-- A client's close of a month, from its history: always one row. SQL, so that the planner inlines
-- it.
-- The close lasts from the first opening of that month to the next opening of another. An opening
-- without a month is for the month that was being closed then.
create or replace function rules.close_of(
  client_id bigint,
  period    text
)
returns table (
  state         text,         -- not_opened, open, in_review, closed
  opened_at     timestamptz,
  opened_by     text,
  reviewed_at   timestamptz,  -- the last hand-over to review
  reviewed_by   text,
  sent_back     integer,      -- how many times
  sent_back_at  timestamptz,  -- the last time
  sent_back_by  text,
  signed_off_at timestamptz,
  signed_off_by text,
  is_newest     boolean       -- no other month's close was opened since
)
language sql
stable
as $$
  select
    phase.state,
    case when phase.state <> 'not_opened' then steps.opened_at end,
    case when phase.state <> 'not_opened' then steps.opened_by end,
    steps.reviewed_at,
    steps.reviewed_by,
    steps.sent_back,
    steps.sent_back_at,
    steps.sent_back_by,
    case when phase.state = 'closed' then steps.left_at end,
    case when phase.state = 'closed' then steps.left_by end,
    next.version is null
  from (
    select min(named.version) as version
    from (
      select h.version
      from public.stage_history h
      where h.client_id = close_of.client_id
        and h.to_stage = 'eom_close'
        and h.payload ->> 'period' = close_of.period
        and rules.opens_close(h.from_stage, h.from_returning_to, h.trigger_type)
      union all
      select h.version
      from public.stage_history h
      where h.client_id = close_of.client_id
        and h.to_stage = 'eom_close'
        and h.payload ->> 'period' is null
        and rules.opens_close(h.from_stage, h.from_returning_to, h.trigger_type)
        and rules.close_period(h.occurred_at) = close_of.period
    ) as named
  ) as first
  left join lateral (
    select h.version
    from public.stage_history h
    where h.client_id = close_of.client_id
      and h.to_stage = 'eom_close'
      and h.version > first.version
      and rules.opens_close(h.from_stage, h.from_returning_to, h.trigger_type)
      and coalesce(h.payload ->> 'period', rules.close_period(h.occurred_at)) <> close_of.period
    order by h.version
    limit 1
  ) as next on true
  cross join lateral (
    -- moves into the close, and moves out of it except to a pause
    select
      (array_agg(h.occurred_at order by h.version))[1] as opened_at,
      (array_agg(h.actor_id order by h.version))[1] as opened_by,
      (array_agg(h.occurred_at order by h.version desc) filter (where step.was_handed))[1] as reviewed_at,
      (array_agg(h.actor_id order by h.version desc) filter (where step.was_handed))[1] as reviewed_by,
      count(*) filter (where step.was_sent_back)::integer as sent_back,
      (array_agg(h.occurred_at order by h.version desc) filter (where step.was_sent_back))[1] as sent_back_at,
      (array_agg(h.actor_id order by h.version desc) filter (where step.was_sent_back))[1] as sent_back_by,
      (array_agg(h.occurred_at order by h.version desc))[1] as left_at,
      (array_agg(h.actor_id order by h.version desc))[1] as left_by,
      (array_agg(h.to_stage order by h.version desc))[1] as newest_stage,
      (array_agg(h.trigger_type order by h.version desc))[1] as newest_trigger
    from public.stage_history h
    cross join lateral (
      select
        h.from_stage = 'eom_close' and h.to_stage = 'eom_review' as was_handed,
        h.from_stage = 'eom_review' and h.to_stage = 'eom_close' and h.trigger_type <> 'rollback' as was_sent_back
    ) as step
    where h.client_id = close_of.client_id
      and h.version >= first.version
      and h.version < coalesce(next.version, 9223372036854775807)
      and (
        h.to_stage in ('eom_close', 'eom_review')
        or (
          (h.from_stage in ('eom_close', 'eom_review') or h.from_returning_to in ('eom_close', 'eom_review'))
          and h.to_stage not in ('paused_client', 'paused_internal')
        )
      )
  ) as steps
  cross join lateral (
    select case
      when first.version is null then 'not_opened'
      when steps.newest_stage = 'eom_review' then 'in_review'
      when steps.newest_stage = 'weekly' and steps.newest_trigger = 'rollback' then 'not_opened'
      when steps.newest_stage = 'weekly' then 'closed'
      else 'open'   -- also if the client left the firm during the close
    end as state
  ) as phase
$$;

-- The closes of a month as answers show them: of each active client whose cadence closes in it, and
-- of each client whose close of it was opened. SQL, so that the planner inlines it and the query
-- takes its clients by an index.
create or replace function rules.month_closes(
  period   text,
  deadline timestamptz  -- rules.close_deadline of the month
)
returns table (
  client_id     bigint,
  name          text,
  slug          text,
  stage_owner   text,
  stage         text,
  state         text,
  opened_at     timestamptz,
  opened_by     text,
  reviewed_at   timestamptz,
  reviewed_by   text,
  sent_back     integer,
  sent_back_at  timestamptz,
  sent_back_by  text,
  signed_off_at timestamptz,
  signed_off_by text,
  business_days integer,
  late          boolean,
  late_since    timestamptz
)
language sql
stable
as $$
  select
    c.id,
    c.name,
    c.slug,
    c.stage_owner,
    c.stage,
    close.state,
    close.opened_at,
    close.opened_by,
    close.reviewed_at,
    close.reviewed_by,
    close.sent_back,
    close.sent_back_at,
    close.sent_back_by,
    close.signed_off_at,
    close.signed_off_by,
    case
      when close.opened_at is not null then rules.business_days(
        rules.firm_time(close.opened_at)::date, rules.firm_time(coalesce(close.signed_off_at, now()))::date
      )
    end,
    late.since is not null,
    late.since
  from public.clients c
  cross join lateral rules.close_of(c.id, month_closes.period) close
  left join rules.stage_limits(now()) s on s.stage = c.stage
  cross join lateral (
    select min(limit_of.at) as since
    from (values
      (month_closes.deadline),
      (case
        when close.is_newest and close.state in ('open', 'in_review') and c.stage in ('eom_close', 'eom_review')
          then c.stage_entered_at + s.sla
      end)
    ) as limit_of (at)
    where limit_of.at < coalesce(close.signed_off_at, now())
  ) as late
  where close.state <> 'not_opened'
    or (
      c.active
      and rules.closes_in(c.close_cadence, right(month_closes.period, 2)::integer)
      -- a client that was added after the close was due doesn't owe it
      and exists (
        select
        from public.stage_history h
        where h.client_id = c.id
          and h.version = 0
          and h.occurred_at < month_closes.deadline
      )
    )
$$;

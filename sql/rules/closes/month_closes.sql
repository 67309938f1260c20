-- The closes of a month as answers show them: of each client that owes it, and of each client that has one. A client
-- owes a month if it is active, its cadence has the month, and it was added before the close was due. SQL, so that the
-- planner inlines it and the query takes its clients by an index.
create or replace function rules.month_closes(
  period text,
  due_at timestamptz,                -- of the month: rules.due_at
  as_of  timestamptz default now()   -- a client that was added later counts as if it had been there
)
returns table (
  client_id      bigint,
  name           text,
  slug           text,
  stage_owner    text,
  stage          text,
  state          text,
  opened_at      timestamptz,
  opened_by      text,
  reviewed_at    timestamptz,
  reviewed_by    text,
  sent_back      integer,
  sent_back_at   timestamptz,
  sent_back_by   text,
  reopened       integer,
  signed_off_at  timestamptz,
  signed_off_by  text,
  signed_off_through text,
  rolled_back_by text,
  business_days  integer,
  late           boolean,
  late_since     timestamptz,
  owed           boolean
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
    coalesce(k.state, 'not_opened'),
    k.opened_at,
    k.opened_by,
    k.reviewed_at,
    k.reviewed_by,
    coalesce(k.sent_back, 0),
    k.sent_back_at,
    k.sent_back_by,
    coalesce(k.reopened, 0),
    k.signed_off_at,
    k.signed_off_by,
    k.through,
    k.rolled_back_by,
    case
      when k.opened_at is not null then rules.business_days(
        rules.firm_time(k.opened_at)::date, rules.firm_time(coalesce(k.signed_off_at, now()))::date
      )
    end,
    coalesce(k.signed_off_at, now()) >= month_closes.due_at,
    case when coalesce(k.signed_off_at, now()) >= month_closes.due_at then month_closes.due_at end,
    owing.is_so
  from public.clients c
  left join lateral rules.closes_of(month_closes.period, c.id, c.id) k on true
  cross join lateral (
    select c.active
      and rules.closes_in(c.close_cadence, right(month_closes.period, 2)::integer)
      and not exists (
        select
        from public.stage_history h
        where h.client_id = c.id
          and h.version = 0
          and h.occurred_at >= month_closes.due_at
          and h.occurred_at <= month_closes.as_of
      ) as is_so
  ) as owing
  where owing.is_so
    or k.state <> 'not_opened'
$$;

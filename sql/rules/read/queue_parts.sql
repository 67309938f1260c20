-- The parts of a queue that have clients after a cursor. A part has one stage and one rank: its
-- clients entered the stage in one stretch of time and need the same attention. Within a part the
-- client that has been in the stage longest comes first, so an index on stage gives each part in
-- order. SQL, so that the planner inlines it.
create or replace function rules.queue_parts(
  after_rank integer,      -- null: from the beginning
  after_key  timestamptz,
  after_id   bigint
)
returns table (
  stage          text,
  rank           integer,      -- 0 stuck, 1 neither, 2 waits on the client
  is_over_sla    boolean,
  attention      text,
  by_flag        boolean,      -- whether only clients with certain flags are in it
  waiting_flags  text[],
  sla            interval,
  sort_by        interval,
  from_entered   timestamptz,  -- (stage_entered_at, id) is greater than these two
  from_id        bigint,
  before_entered timestamptz
)
language sql
stable
as $$
  select
    s.stage,
    k.rank,
    k.is_over_sla,
    k.attention,
    k.by_flag,
    s.waiting_flags,
    s.sla,
    s.sort_by,
    case when cursor.is_inside then queue_parts.after_key - s.sort_by else range.from_entered end,
    case when cursor.is_inside then queue_parts.after_id else -9223372036854775808 end,
    case when k.is_over_sla then s.over_before else 'infinity' end
  from rules.stage_limits(now()) s
  cross join (values
    (0, true, 'stuck', false),
    (0, false, 'stuck', true),
    (1, false, null, false),
    (2, true, 'waiting_on_client', true)
  ) as k (rank, is_over_sla, attention, by_flag)
  cross join lateral (
    select case when k.is_over_sla then '-infinity' else s.over_before end as from_entered
  ) as range
  cross join lateral (
    select k.rank = queue_parts.after_rank and queue_parts.after_key - s.sort_by >= range.from_entered as is_inside
  ) as cursor
  where k.rank >= coalesce(queue_parts.after_rank, 0)
    and (s.sla is not null or not k.is_over_sla)
$$;

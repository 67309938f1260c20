-- How long a client may be in each stage. Only this function decides when a client is over its
-- SLA: it entered its stage before `over_before`. SQL, so that the planner inlines it and an index
-- on (stage, stage_entered_at) finds those clients.
create or replace function rules.stage_limits(at timestamptz)
returns table (
  stage         text,
  waiting_flags text[],
  sla           interval,     -- null: no limit
  sort_by       interval,     -- the SLA for sorting: a hundred years if there is no limit
  over_before   timestamptz   -- -infinity: no limit
)
language sql
stable
as $$
  select
    s.stage,
    s.waiting_flags,
    s.max_days * interval '24 hours',
    coalesce(s.max_days, 36500) * interval '24 hours',
    coalesce(stage_limits.at - s.max_days * interval '24 hours', '-infinity')
  from public.stages s
$$;

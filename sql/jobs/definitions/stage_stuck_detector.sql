-- Hourly: sets stuck on active clients that are over their SLA and carry no waiting flag; clears it on all others.
-- Each query reads only clients that are to change: with a million clients and nothing to do, it reads almost nothing.
create or replace function jobs.stage_stuck_detector(
  due_at timestamptz,
  as_of  timestamptz,
  among  bigint[]   -- only these clients; null: all
)
returns setof jobs.step
language plpgsql
stable
set plan_cache_mode = force_custom_plan  -- a plan for these clients isn't one for all
set enable_seqscan = off                 -- only the histogram knows how few clients are over their limit
set jit = off
as $$
#variable_conflict use_variable
begin
  return query
    select
      'set', 'stuck', null::text, 'longer in its stage than its SLA allows', null::text,
      array(
        select c.id::bigint
        from rules.stage_limits(as_of) l
        cross join lateral (
          select c.id
          from public.clients c
          where (among is null or c.id in (select unnest(among)))
            and c.stage = l.stage
            and c.stage_entered_at < l.over_before
            and c.active
            and 'stuck' <> all (c.flags)
            and not c.flags && l.waiting_flags
          offset 0
        ) c
      )
    union all
    select
      'clear', 'stuck', null, 'no longer over its SLA, or waiting for the client',
      'auto_event',  -- time makes a client stuck; an event makes it not stuck
      array(
        select c.id::bigint
        from public.clients c
        where (among is null or c.id in (select unnest(among)))
          and not c.active
          and 'stuck' = any (c.flags)
        union all
        select c.id
        from rules.stage_limits(as_of) l
        cross join lateral (
          select c.id
          from public.clients c
          where (among is null or c.id in (select unnest(among)))
            and c.stage = l.stage
            and c.stage_entered_at >= l.over_before
            and c.active
            and 'stuck' = any (c.flags)
          offset 0
        ) c
        union all
        select distinct c.id
        from rules.stage_limits(as_of) l
        cross join unnest(l.waiting_flags) as waiting (flag)
        cross join lateral (
          select c.id
          from public.clients c
          where (among is null or c.id in (select unnest(among)))
            and c.flags @> array['stuck', waiting.flag]
            and c.flags <> '{}'
            and c.stage = l.stage
            and c.stage_entered_at < l.over_before
            and c.active
          offset 0
        ) c
      );
end
$$;

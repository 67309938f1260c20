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
set plan_cache_mode = force_custom_plan  -- only the histogram knows how many clients are over the limit
as $$
#variable_conflict use_variable
declare
  v_limit record;
  v_set   bigint[] := array[]::bigint[];
  v_clear bigint[];
begin
  v_clear := array(
    select c.id
    from public.clients c
    where (among is null or c.id = any (among))
      and not c.active
      and 'stuck' = any (c.flags)
  );
  for v_limit in select l.* from rules.stage_limits(as_of) l loop
    v_set := v_set || array(
      select c.id
      from public.clients c
      where (among is null or c.id = any (among))
        and c.stage = v_limit.stage
        and c.stage_entered_at < v_limit.over_before
        and c.active
        and 'stuck' <> all (c.flags)
        and not c.flags && v_limit.waiting_flags
    );
    v_clear := v_clear || array(
      select c.id
      from public.clients c
      where (among is null or c.id = any (among))
        and c.stage = v_limit.stage
        and c.stage_entered_at >= v_limit.over_before
        and c.active
        and 'stuck' = any (c.flags)
    ) || array(
      select distinct c.id
      from unnest(v_limit.waiting_flags) as waiting (flag)
      join public.clients c on c.flags @> array['stuck', waiting.flag]
      where (among is null or c.id = any (among))
        and c.flags <> '{}'
        and c.stage = v_limit.stage
        and c.stage_entered_at < v_limit.over_before
        and c.active
    );
  end loop;
  return query values
    ('set', 'stuck', null::text, 'longer in its stage than its SLA allows', null::text, v_set),
    -- time makes a client stuck; an event makes it not stuck
    ('clear', 'stuck', null, 'no longer over its SLA, or waiting for the client', 'auto_event', v_clear);
end
$$;

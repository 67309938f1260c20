-- Every hour: stuck is set where the age in the stage passes the SLA and nothing says that we wait for the client;
-- it is cleared where that no longer holds. Each query reads only what is to change: with a million clients and
-- nothing to do, there is next to nothing to read.
create or replace function jobs.stage_stuck_detector(
  due_at timestamptz,
  as_of  timestamptz,
  among  bigint[]   -- these clients only; null: all
)
returns setof jobs.step
language plpgsql
stable
set plan_cache_mode = force_custom_plan  -- how many are that old, only the histogram knows
as $$
#variable_conflict use_variable
declare
  v_stage   public.stages;
  v_too_old timestamptz;
  v_set     bigint[] := array[]::bigint[];
  v_clear   bigint[] := array[]::bigint[];
begin
  for v_stage in select * from public.stages loop
    v_too_old := coalesce(as_of - make_interval(hours => 24 * v_stage.max_days), '-infinity');

    v_set := v_set || array(
      select c.id
      from public.clients c
      where (among is null or c.id = any (among))
        and c.stage = v_stage.stage
        and c.stage_entered_at < v_too_old
        and c.active
        and 'stuck' <> all (c.flags)
        and not c.flags && v_stage.waiting_flags
    );
    v_clear := v_clear || array(
      select c.id
      from public.clients c
      where (among is null or c.id = any (among))
        and c.stage = v_stage.stage
        and c.stage_entered_at >= v_too_old
        and c.active
        and 'stuck' = any (c.flags)
    ) || array(
      select distinct c.id
      from unnest(v_stage.waiting_flags) as waiting (flag)
      join public.clients c on c.flags @> array['stuck', waiting.flag]
      where (among is null or c.id = any (among))
        and c.flags <> '{}'
        and c.stage = v_stage.stage
        and c.stage_entered_at < v_too_old
        and c.active
    );
  end loop;

  v_clear := v_clear || array(
    select c.id
    from public.clients c
    where (among is null or c.id = any (among))
      and not c.active
      and 'stuck' = any (c.flags)
  );
  return query values
    ('set', 'stuck', null::text, 'longer in its stage than its SLA allows', null::text, v_set),
    -- time makes a client stuck; that it no longer is has another cause
    ('clear', 'stuck', null, 'no longer over its SLA, or waiting for the client', 'auto_event', v_clear);
end
$$;

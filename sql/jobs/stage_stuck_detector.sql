-- Every hour: stuck is set where the age in the stage passes the SLA and nothing says that we wait for the
-- client; it is cleared where that no longer holds. Each query reads only what is to change: with a million
-- clients and nothing to do, there is next to nothing to read.
create or replace function jobs.stage_stuck_detector(
  as_of  timestamptz,
  among  bigint[] default null   -- these clients only
)
returns table (
  client_id bigint,
  action    text,
  word      text,
  period    text
)
language plpgsql
stable
set plan_cache_mode = force_custom_plan  -- how many are that old, only the histogram knows
as $$
declare
  v_sla     public.stages;
  v_too_old timestamptz;
begin
  for v_sla in select * from public.stages loop
    v_too_old := coalesce(as_of - make_interval(hours => 24 * v_sla.max_days), '-infinity');

    return query
      select c.id, 'set', 'stuck', null::text
      from public.clients c
      where (among is null or c.id = any (among))
        and c.stage = v_sla.stage
        and c.stage_entered_at < v_too_old
        and c.active
        and 'stuck' <> all (c.flags)
        and not c.flags && v_sla.waiting_flags;

    return query
      select c.id, 'clear', 'stuck', null::text
      from public.clients c
      where (among is null or c.id = any (among))
        and c.stage = v_sla.stage
        and c.stage_entered_at >= v_too_old
        and c.active
        and 'stuck' = any (c.flags);

    return query
      select distinct c.id, 'clear', 'stuck', null::text
      from unnest(v_sla.waiting_flags) as waiting (flag)
      join public.clients c on c.flags @> array['stuck', waiting.flag]
      where (among is null or c.id = any (among))
        and c.flags <> '{}'
        and c.stage = v_sla.stage
        and c.stage_entered_at < v_too_old
        and c.active;
  end loop;

  return query
    select c.id, 'clear', 'stuck', null::text
    from public.clients c
    where (among is null or c.id = any (among))
      and not c.active
      and 'stuck' = any (c.flags);
end
$$;

-- Daily: an active client carries a seasonal flag in its season, and no client carries it outside.
create or replace function jobs.flag_seasonal(
  due_at timestamptz,
  as_of  timestamptz,
  among  bigint[]   -- only these clients; null: all
)
returns setof jobs.step
language plpgsql
stable
set plan_cache_mode = force_custom_plan
as $$
#variable_conflict use_variable
declare
  v_today  date := rules.firm_time(due_at);
  v_season public.stage_seasons;
begin
  for v_season in select * from public.stage_seasons s order by s.flag loop
    if rules.in_season(v_today, v_season.from_month, v_season.from_day, v_season.to_month, v_season.to_day) then
      return query
        select 'set', v_season.flag, null::text, 'the season begins', null::text, array_agg(c.id::bigint)
        from public.clients c
        where (among is null or c.id in (select unnest(among)))
          and c.active
          and v_season.flag <> all (c.flags);
    else
      return query
        select 'clear', v_season.flag, null::text, 'the season is over', null::text, array_agg(c.id::bigint)
        from public.clients c
        where (among is null or c.id in (select unnest(among)))
          and c.flags @> array[v_season.flag]
          and c.flags <> '{}';
    end if;
  end loop;
end
$$;

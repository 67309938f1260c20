-- Daily: gives clients back on the day when a cover ends, or at the first start after it. What an actor
-- changed meanwhile is only named, as `kept`. A cover is looked at until a run is done on or after its day; what it
-- still has to give back follows from history.
create or replace function jobs.covers_end(
  due_at timestamptz,
  as_of  timestamptz,
  among  bigint[]   -- only these clients; null: all
)
returns setof jobs.step
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_day     constant date := rules.firm_time(due_at);
  v_settled constant date := (
    select rules.firm_time(max(r.due_at))
    from public.job_runs r
    where r.job = 'covers_end' and r.outcome = 'done' and r.due_at < due_at
  );
  v_cover   record;
begin
  for v_cover in
    select
      c.id,
      format('%s covered for %s until %s', coalesce(max(b.holder), c.to_actor_id), c.from_actor_id, c.until) as reason,
      array_agg(b.client_id) filter (where b.back is not null) as back,
      array_agg(b.client_id) filter (where b.kept is not null) as kept
    from public.covers c
    cross join lateral rules.covered(c.batch, among) b
    where c.ended_at is null
      and c.until <= v_day
      and c.until > coalesce(v_settled, '-infinity')
    group by c.id
    order by c.id
  loop
    if v_cover.back is not null then
      return next ('give_back', v_cover.id::text, null, v_cover.reason, null, v_cover.back)::jobs.step;
    end if;
    if v_cover.kept is not null and among is null then
      return next ('name', 'kept', null, null, null, v_cover.kept)::jobs.step;
    end if;
  end loop;
end
$$;

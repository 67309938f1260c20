-- Day 16: clears advisory_due. A flag that was set after the run was due, while the run was late, belongs to the next
-- month.
create or replace function jobs.flag_autoclear_advisory_due(
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
  v_period constant text := to_char(rules.firm_time(due_at), 'YYYY-MM');
begin
  return query
    select
      'clear', 'advisory_due', v_period, 'the advisory talks of ' || v_period || ' are over', null::text,
      array_agg(c.id::bigint)
    from public.clients c
    where (among is null or c.id in (select unnest(among)))
      and c.flags @> array['advisory_due']
      and c.flags <> '{}'
      and not exists (
        select
        from public.stage_history h
        where h.client_id = c.id
          and h.flag_added = 'advisory_due'
          and h.trigger_type <> 'rollback'
          and h.occurred_at > due_at
          and h.occurred_at <= as_of
        offset 0
      )
      and not exists (
        select from jobs.done_for('flag_autoclear_advisory_due', v_period) d where d.client_id = c.id offset 0
      );
end
$$;

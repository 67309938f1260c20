-- Where clients with these ids differ from the state that their histories give: a change of `clients`
-- bypassed the triggers. One row per client that differs. Clients whose version is not that
-- of their newest history row are left to rules.history_breaks. No content of a history row can
-- make this fail.
create or replace function rules.client_differences(
  from_client_id bigint,
  to_client_id   bigint
)
returns table (
  client_id bigint,
  version   bigint,
  differs   text[]   -- the columns
)
language plpgsql
stable
set jit = off
as $$
#variable_conflict use_variable
begin
  return query
    select s.id, s.version, array_agg(w.word order by w.word)
    from public.clients c
    cross join lateral rules.state_of(c.*) as s
    join public.stage_history newest on newest.client_id = s.id and newest.version = s.version
    -- the newest move, or the creation; if it rolled back another move, that move has the earlier state
    left join lateral (
      select h.version, h.from_stage, h.to_stage, h.occurred_at, h.from_returning_to, h.close_period, h.trigger_type,
        h.payload
      from public.stage_history h
      where h.client_id = s.id
        -- a row comparison, so the planner has only the index on (client_id, version)
        and h.to_stage || '' is not null
      order by h.version desc
      limit 1
    ) as m on true
    left join public.stage_history taken_back
      on taken_back.client_id = s.id
      and m.trigger_type = 'rollback'
      and to_jsonb(taken_back.id) = m.payload -> 'rolls_back'
    left join public.stages st on st.stage = m.to_stage
    cross join lateral (
      select coalesce(rules.sorted_set(array_agg(f.flag) filter (where f.is_set)), '{}') as flags
      from (
        select distinct on (e.flag) e.flag, e.is_set
        from public.stage_history h
        cross join lateral (values (h.flag_added, true), (h.flag_removed, false)) as e (flag, is_set)
        where h.client_id = s.id
          and e.flag is not null
        order by e.flag, h.version desc
      ) as f
    ) as flagged
    cross join lateral (
      -- the last change of a field wins
      select to_jsonb((rules.default_client()).fields) || coalesce(jsonb_object_agg(e.word, e.value order by h.version), '{}') as fields
      from public.stage_history h
      cross join lateral (
        select i.key as word, i.value
        from jsonb_each(case when jsonb_typeof(h.payload -> 'initial') = 'object' then h.payload -> 'initial' end) as i
        where h.version = 0
        union all
        select d.key, d.value -> 'to'
        from jsonb_each(case when jsonb_typeof(h.payload -> 'changed') = 'object' then h.payload -> 'changed' end) as d
      ) as e
      where h.client_id = s.id
        and h.payload ?| '{initial,changed}'
    ) as said
    cross join lateral (
      select d.word
      from (values
        ('stage', s.stage is distinct from m.to_stage),
        ('stage_entered_at', s.stage_entered_at is distinct from coalesce(taken_back.from_entered_at, m.occurred_at)
          -- a resume continues the time before the pause; in earlier versions it started again
          and (m.to_stage = m.from_returning_to and s.stage_entered_at
            = m.occurred_at - rules.time_before_pause(s.id, m.version)) is not true),
        ('close_period', s.close_period is distinct from case
          when case
            when taken_back.id is not null then rules.in_close(taken_back.from_stage, taken_back.from_returning_to)
            when st.kind = 'pause' then rules.in_close(m.from_stage, m.from_returning_to)
            else rules.in_close(m.to_stage, null)
          end then m.close_period
        end),
        ('returning_to_stage', s.returning_to_stage is distinct from case
          when taken_back.id is not null then taken_back.from_returning_to
          -- in earlier versions a client could start in a pause without a stage to return to
          when m.version = 0 and s.returning_to_stage is not null then case when st.kind = 'pause' then 'onboarding' end
          when st.kind = 'pause' then coalesce(m.from_returning_to, m.from_stage)
        end),
        ('flags', s.flags is distinct from flagged.flags)
      ) as d (word, is_so)
      where d.is_so
      union all
      select f.key
      from jsonb_each(to_jsonb(s.fields)) as f
      where f.value is distinct from said.fields -> f.key
    ) as w
    where c.id between from_client_id and to_client_id
    group by s.id, s.version;
end
$$;

-- The first clients of an actor's queue, each once, with every reason why it is there; not in order.
-- Within a stage the longest there is the nearest to its SLA, so each stage gives its oldest clients by index. Over the
-- limit those that wait come from the sets of flags that say so, and the others apart from them; within the limit flags
-- matter only where one is 'stuck'. So no part looks through clients of another.
create or replace function rules.queue_of(
  actor_id text,
  number   integer   -- of each part of a stage
)
returns table (
  client_id  bigint,
  why        text[],
  rank       integer,      -- 0 stuck, 1 neither, 2 waits on the client
  sla_due_at timestamptz
)
language sql
stable
as $$
  with place as materialized (
    select s.stage, s.waiting_flags, s.sla, s.over_before from rules.stage_limits(now()) s
  ),
  candidate as (
    select oldest.id, oldest.stage, oldest.stage_entered_at, oldest.flags, 'owner' as why
    from place p
    cross join lateral (
      (
        select c.id, c.stage, c.stage_entered_at, c.flags
        from public.clients c
        where c.stage_owner = queue_of.actor_id
          and c.stage = p.stage
          and c.active
          and c.stage_entered_at < p.over_before
          and not c.flags && p.waiting_flags
        order by c.stage_entered_at, c.id
        limit queue_of.number
      )
      union all
      (
        select c.id, c.stage, c.stage_entered_at, c.flags
        from public.clients c
        where c.stage_owner = queue_of.actor_id
          and c.stage = p.stage
          and c.active
          and c.stage_entered_at < p.over_before
          and c.flags && p.waiting_flags
        order by c.stage_entered_at, c.id
        limit queue_of.number
      )
      union all
      (
        select c.id, c.stage, c.stage_entered_at, c.flags
        from public.clients c
        where c.stage_owner = queue_of.actor_id
          and c.stage = p.stage
          and c.active
          and c.stage_entered_at >= p.over_before
        order by c.stage_entered_at, c.id
        limit queue_of.number
      )
      union all
      (
        -- stuck by its flag, however short its time
        select c.id, c.stage, c.stage_entered_at, c.flags
        from public.clients c
        where c.stage_owner = queue_of.actor_id
          and c.stage = p.stage
          and c.active
          and c.stage_entered_at >= p.over_before
          and 'stuck' = any (c.flags)
        order by c.stage_entered_at, c.id
        limit queue_of.number
      )
    ) as oldest
    union all
    select c.id, c.stage, c.stage_entered_at, c.flags, 'collaborator'
    from public.clients c
    where c.stage_collaborators <> '{}'
      and c.stage_collaborators @> array[queue_of.actor_id]
      and c.active
    union all
    select c.id, c.stage, c.stage_entered_at, c.flags, 'in_scope'
    from (select l.* from rules.live_grants l where l.actor_id = queue_of.actor_id) g
    cross join lateral jsonb_array_elements(
      case when jsonb_typeof(g.scope -> 'clients') = 'array' then g.scope -> 'clients' else '[]' end
    ) as named (number)
    join public.clients c
      on c.id = case
        when named.number::numeric between 1 and 9223372036854775807 then trunc(named.number::numeric)::bigint
      end
    where rules.actor_type(queue_of.actor_id) = 'agent'
      and c.active
      and rules.is_work_for(queue_of.actor_id, rules.state_of(c.*), 'in_scope')
    union all
    select oldest.id, oldest.stage, oldest.stage_entered_at, oldest.flags, q.why
    from rules.queue_stages(queue_of.actor_id) q
    join place p on p.stage = q.stage
    cross join lateral (
      (
        select c.id, c.stage, c.stage_entered_at, c.flags
        from public.clients c
        where c.stage = p.stage
          and c.active
          and c.stage_entered_at < p.over_before
          and not c.flags && p.waiting_flags
          and rules.is_work_for(queue_of.actor_id, rules.state_of(c.*), q.why)
        order by c.stage_entered_at, c.id
        limit queue_of.number
      )
      union all
      (
        select waiting.id, waiting.stage, waiting.stage_entered_at, waiting.flags
        from rules.flag_sets(p.stage) carried
        cross join lateral (
          select c.id, c.stage, c.stage_entered_at, c.flags
          from public.clients c
          where c.stage = p.stage
            and c.flags = carried.flags
            and c.flags <> '{}'
            and c.active
            and c.stage_entered_at < p.over_before
            and rules.is_work_for(queue_of.actor_id, rules.state_of(c.*), q.why)
          order by c.stage_entered_at, c.id
          limit queue_of.number
        ) as waiting
        where p.max_days is not null
          and carried.flags && p.waiting_flags
      )
      union all
      (
        select c.id, c.stage, c.stage_entered_at, c.flags
        from public.clients c
        where c.stage = p.stage
          and c.active
          and c.stage_entered_at >= p.over_before
          and rules.is_work_for(queue_of.actor_id, rules.state_of(c.*), q.why)
        order by c.stage_entered_at, c.id
        limit queue_of.number
      )
      union all
      (
        select c.id, c.stage, c.stage_entered_at, c.flags
        from public.clients c
        where c.stage = p.stage
          and c.active
          and c.stage_entered_at >= p.over_before
          and 'stuck' = any (c.flags)
          and rules.is_work_for(queue_of.actor_id, rules.state_of(c.*), q.why)
        order by c.stage_entered_at, c.id
        limit queue_of.number
      )
    ) as oldest
  ),
  listed as (
    select
      candidate.id,
      candidate.stage,
      candidate.stage_entered_at,
      candidate.flags,
      array_agg(distinct candidate.why order by candidate.why) as why
    from candidate
    group by candidate.id, candidate.stage, candidate.stage_entered_at, candidate.flags
  )
  select
    listed.id,
    listed.why,
    case rules.attention(listed.flags, listed.stage_entered_at < p.over_before, p.waiting_flags)
      when 'stuck' then 0
      when 'waiting_on_client' then 2
      else 1
    end,
    listed.stage_entered_at + p.sla
  from listed
  join place p on p.stage = listed.stage
$$;

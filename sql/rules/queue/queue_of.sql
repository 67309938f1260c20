-- The first clients of an actor's queue, each once, with every reason why it is there; not in order.
-- Within a stage the longest there is the nearest to its SLA, so each stage gives its oldest clients by index.
create or replace function rules.queue_of(
  actor_id text,
  number   integer   -- of each stage
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
  with candidate as (
    select oldest.id, 'owner' as why
    from public.stages s
    cross join lateral (
      (
        select c.id
        from public.clients c
        where c.stage_owner = queue_of.actor_id
          and c.stage = s.stage
          and c.active
          and not c.flags && s.waiting_flags
        order by c.stage_entered_at, c.id
        limit queue_of.number
      )
      union all
      (
        select c.id
        from public.clients c
        where c.stage_owner = queue_of.actor_id
          and c.stage = s.stage
          and c.active
          and c.flags && s.waiting_flags
        order by c.stage_entered_at, c.id
        limit queue_of.number
      )
      union all
      (
        -- stuck by its flag, however short its time
        select c.id
        from public.clients c
        where c.stage_owner = queue_of.actor_id
          and c.stage = s.stage
          and c.active
          and 'stuck' = any (c.flags)
        order by c.stage_entered_at, c.id
        limit queue_of.number
      )
    ) as oldest
    union all
    select c.id, 'collaborator'
    from public.clients c
    where c.stage_collaborators <> '{}'
      and c.stage_collaborators @> array[queue_of.actor_id]
      and c.active
    union all
    select c.id, 'in_scope'
    from rules.live_grants(queue_of.actor_id) g
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
    select oldest.id, q.why
    from rules.queue_stages(queue_of.actor_id) q
    join public.stages s on s.stage = q.stage
    cross join lateral (
      (
        select c.id
        from public.clients c
        where c.stage = q.stage
          and c.active
          and not c.flags && s.waiting_flags
          and rules.is_work_for(queue_of.actor_id, rules.state_of(c.*), q.why)
        order by c.stage_entered_at, c.id
        limit queue_of.number
      )
      union all
      (
        -- few carry a flag, and they have an index of their own
        select c.id
        from public.clients c
        where c.stage = q.stage
          and c.active
          and c.flags <> '{}'
          and c.flags && s.waiting_flags
          and rules.is_work_for(queue_of.actor_id, rules.state_of(c.*), q.why)
        order by c.stage_entered_at, c.id
        limit queue_of.number
      )
      union all
      (
        select c.id
        from public.clients c
        where c.stage = q.stage
          and c.active
          and 'stuck' = any (c.flags)
          and rules.is_work_for(queue_of.actor_id, rules.state_of(c.*), q.why)
        order by c.stage_entered_at, c.id
        limit queue_of.number
      )
    ) as oldest
  ),
  listed as (
    select candidate.id, array_agg(distinct candidate.why order by candidate.why) as why
    from candidate
    group by candidate.id
  )
  select
    c.id,
    listed.why,
    case rules.attention(c.flags, c.stage_entered_at, s.max_days, s.waiting_flags)
      when 'stuck' then 0
      when 'waiting_on_client' then 2
      else 1
    end,
    c.stage_entered_at + make_interval(hours => 24 * s.max_days)
  from listed
  join public.clients c on c.id = listed.id
  join public.stages s on s.stage = c.stage
$$;

-- The next clients of an actor's queue, each once with every reason why it is there. Not sorted,
-- and at least `number` if there are so many. SQL, so that the planner inlines it.
create or replace function rules.queue_of(
  actor_id   text,
  number     integer,
  after_rank integer,      -- the cursor; null: from the beginning
  after_key  timestamptz,
  after_id   bigint
)
returns table (
  client_id  bigint,
  why        text[],
  rank       integer,      -- 0 stuck, 1 neither, 2 waits on the client
  key        timestamptz,  -- the order within a rank
  sla_due_at timestamptz
)
language sql
stable
as $$
  with part as materialized (
    select p.* from rules.queue_parts(queue_of.after_rank, queue_of.after_key, queue_of.after_id) p
  ),
  -- lists that are short, and so are read as a whole
  short as (
    select c.id, c.stage, c.stage_entered_at, c.flags, 'collaborator' as why
    from public.clients c
    where c.stage_collaborators <> '{}'
      and c.stage_collaborators @> array[queue_of.actor_id]
      and c.active
    union all
    select c.id, c.stage, c.stage_entered_at, c.flags, 'in_scope'
    from rules.live_grants(queue_of.actor_id) g
    cross join lateral jsonb_array_elements(
      case when jsonb_typeof(g.scope -> 'clients') = 'array' then g.scope -> 'clients' else '[]' end
    ) as named (number)
    join public.clients c
      on c.id = case
        when named.number::numeric between 1 and 9223372036854775807 then trunc(named.number::numeric)::bigint
      end
    cross join lateral rules.facts_of(rules.state_of(c.*), queue_of.actor_id) f
    where rules.actor_type(queue_of.actor_id) = 'agent'
      and c.active
      and rules.is_granted_work(queue_of.actor_id, f.*, 'in_scope')
  ),
  found as (
    select c.id, 'owner' as why, p.rank, c.stage_entered_at + p.sort_by as key, c.stage_entered_at + p.sla as sla_due_at
    from part p
    cross join lateral (
      select c.id, c.stage_entered_at
      from public.clients c
      where c.stage_owner = queue_of.actor_id
        and c.stage = p.stage
        and c.active
        and (c.stage_entered_at, c.id) > (p.from_entered, p.from_id)
        and c.stage_entered_at < p.before_entered
        and rules.attention(c.flags, p.is_over_sla, p.waiting_flags) is not distinct from p.attention
      order by c.stage_entered_at, c.id
      limit queue_of.number
    ) as c
    where p.is_over_sla or not p.by_flag
    union all
    -- a separate scan, because an index has the clients with this flag
    select c.id, 'owner', p.rank, c.stage_entered_at + p.sort_by, c.stage_entered_at + p.sla
    from part p
    cross join lateral (
      select c.id, c.stage_entered_at
      from public.clients c
      where c.stage_owner = queue_of.actor_id
        and c.stage = p.stage
        and c.active
        and 'stuck' = any (c.flags)
        and (c.stage_entered_at, c.id) > (p.from_entered, p.from_id)
        and c.stage_entered_at < p.before_entered
      order by c.stage_entered_at, c.id
      limit queue_of.number
    ) as c
    where p.by_flag and not p.is_over_sla
    union all
    select s.id, s.why, p.rank, s.stage_entered_at + p.sort_by, s.stage_entered_at + p.sla
    from short s
    join part p on p.stage = s.stage
    where (s.stage_entered_at, s.id) > (p.from_entered, p.from_id)
      and s.stage_entered_at < p.before_entered
      and rules.attention(s.flags, p.is_over_sla, p.waiting_flags) is not distinct from p.attention
    union all
    select g.*
    from rules.granted_queue(
      queue_of.actor_id, queue_of.number, queue_of.after_rank, queue_of.after_key, queue_of.after_id
    ) g
  )
  -- a client is in one part, so these are the same in each of its rows
  select f.id, array_agg(distinct f.why order by f.why), min(f.rank), min(f.key), min(f.sla_due_at)
  from found f
  group by f.id
$$;

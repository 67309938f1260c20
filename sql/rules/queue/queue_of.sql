-- The first clients of an actor's queue, each once, with every reason why it is there.
-- Within a stage the longest there is the nearest to its SLA, so each stage gives its oldest clients by index:
-- the cost follows the page, not the clients there are.
create or replace function rules.queue_of(
  actor_id  text,
  page_size integer
)
returns table (
  client_id  bigint,
  why        text[],
  sla_due_at timestamptz,
  nth        bigint
)
language sql
stable
as $$
  with candidate as (
    select c.id, 'owner' as why
    from public.clients c
    where c.stage_owner = queue_of.actor_id
      and c.active
    union all
    select c.id, 'collaborator'
    from public.clients c
    where c.stage_collaborators <> '{}'
      and c.stage_collaborators @> array[queue_of.actor_id]
      and c.active
    union all
    select oldest.id, q.why
    from rules.queue_stages(queue_of.actor_id) q
    join public.stages s on s.stage = q.stage
    cross join (values (true), (false)) as ask (waiting)
    cross join lateral (
      select c.id
      from public.clients c
      where c.stage = q.stage
        and c.active
        and (c.flags && s.waiting_flags) = ask.waiting
        and rules.is_work_for(queue_of.actor_id, c.*, q.why)
      order by c.stage_entered_at
      limit queue_of.page_size
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
    due.at,
    row_number() over (
      order by
        case rules.attention(c.flags, c.stage_entered_at, s.max_days, s.waiting_flags)
          when 'stuck' then 0
          when 'waiting_on_client' then 2
          else 1
        end,
        due.at nulls last,
        c.id
    )
  from listed
  join public.clients c on c.id = listed.id
  join public.stages s on s.stage = c.stage
  cross join lateral (select c.stage_entered_at + make_interval(hours => 24 * s.max_days)) as due (at)
  order by 4
  limit queue_of.page_size
$$;

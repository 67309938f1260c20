-- What the closes of a month came to, by their moves in force, for the clients with these ids. The state is that of the
-- newest move. A client that left its close for another stage than weekly left it open. SQL, so that the planner
-- inlines it and computes only the columns that are read.
create or replace function rules.closes_of(
  period         text,
  from_client_id bigint default -9223372036854775808,
  to_client_id   bigint default 9223372036854775807
)
returns table (
  client_id      bigint,
  state          text,         -- not_opened (every move was rolled back), open, in_review, paused or closed
  opened_at      timestamptz,
  opened_by      text,
  reviewed_at    timestamptz,  -- the last hand-over to review
  reviewed_by    text,
  sent_back      integer,      -- how many times
  sent_back_at   timestamptz,  -- the last time
  sent_back_by   text,
  reopened       integer,
  signed_off_at  timestamptz,
  signed_off_by  text,
  through        text,         -- the agent that signed it off for that person; null: the person itself
  rolled_back_by text          -- a person rolled the opening back, so the roll leaves the client alone
)
language sql
stable
as $$
  select
    step.client_id,
    coalesce((array_agg(step.state order by step.version desc) filter (where step.is_in_force))[1], 'not_opened'),
    (array_agg(step.occurred_at order by step.version) filter (where step.is_in_force))[1],
    (array_agg(step.person order by step.version) filter (where step.is_in_force))[1],
    (array_agg(step.occurred_at order by step.version desc) filter (where step.kind = 'sign_off_wanted'))[1],
    (array_agg(step.person order by step.version desc) filter (where step.kind = 'sign_off_wanted'))[1],
    count(*) filter (where step.kind = 'sent_back')::integer,
    (array_agg(step.occurred_at order by step.version desc) filter (where step.kind = 'sent_back'))[1],
    (array_agg(step.person order by step.version desc) filter (where step.kind = 'sent_back'))[1],
    greatest(0, count(*) filter (where step.is_opening) - 1)::integer,
    case
      when (array_agg(step.state order by step.version desc) filter (where step.is_in_force))[1] = 'closed'
        then (array_agg(step.occurred_at order by step.version desc) filter (where step.is_in_force))[1]
    end,
    case
      when (array_agg(step.state order by step.version desc) filter (where step.is_in_force))[1] = 'closed'
        then (array_agg(step.person order by step.version desc) filter (where step.is_in_force))[1]
    end,
    case
      when (array_agg(step.state order by step.version desc) filter (where step.is_in_force))[1] = 'closed'
        then (array_agg(nullif(step.actor_id, step.person) order by step.version desc) filter (where step.is_in_force))[1]
    end,
    case
      when not bool_or(step.is_in_force) and not (array_agg(step.of_run order by step.version desc))[1]
        then (array_agg(step.person order by step.version desc))[1]
    end
  from (
    select
      m.client_id,
      m.version,
      m.occurred_at,
      m.actor_id,
      m.person,
      m.is_in_force,
      case
        when m.to_stage = 'eom_review' then 'in_review'
        when m.to_stage = 'weekly' then 'closed'
        when s.kind = 'pause' then 'paused'
        else 'open'
      end as state,
      m.is_in_force and rules.in_close(m.from_stage, m.from_returning_to) is not true as is_opening,
      case
        when m.is_in_force then rules.kind_of(m.from_stage, m.to_stage, m.from_returning_to)
      end as kind,
      m.payload ? 'rolls_back_run' as of_run
    from rules.moves() m
    join public.stages s on s.stage = m.to_stage
    where m.close_period = closes_of.period
      and m.client_id between closes_of.from_client_id and closes_of.to_client_id
  ) as step
  group by step.client_id
$$;

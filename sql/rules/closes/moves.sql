-- The moves of all clients, each with whether it is in force: it is not a rollback, and was not rolled back. SQL, so
-- that the planner inlines it. Not a view: a deploy locks a view that it replaces.
create or replace function rules.moves()
returns table (
  client_id         bigint,
  version           bigint,
  from_stage        text,
  to_stage          text,
  from_entered_at   timestamptz,
  from_returning_to text,
  close_period      text,
  occurred_at       timestamptz,
  actor_id          text,
  on_behalf_of      text,
  person            text,   -- the actor that the move is by
  payload           jsonb,
  is_in_force       boolean
)
language sql
stable
as $$
  select
    h.client_id,
    h.version,
    h.from_stage,
    h.to_stage,
    h.from_entered_at,
    h.from_returning_to,
    h.close_period,
    h.occurred_at,
    h.actor_id,
    h.on_behalf_of,
    rules.person_of(h.actor_id, h.on_behalf_of, h.payload),
    h.payload,
    h.trigger_type <> 'rollback' and b.id is null
  from public.stage_history h
  left join lateral rules.rollback_of(h.id) b on true
  where h.to_stage is not null
$$;

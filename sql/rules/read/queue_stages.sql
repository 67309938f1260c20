-- The stages in which an actor has work because of what it may do: reviews it may sign off, and for agents the stages
-- that its scoped grants name, or all where a grant is narrowed by tiers alone. Grants that name clients are no reason
-- to look through stages: rules.queue_of begins with those clients.
create or replace function rules.queue_stages(actor_id text)
returns table (
  stage text,
  why   text
)
language sql
stable
as $$
  select 'eom_review', 'review'
  where exists (
    select from rules.live_grants g where g.actor_id = queue_stages.actor_id and g.permission in ('can_sign_off_eom_review', 'can_admin')
  )
  union
  select s.stage, 'in_scope'
  from (select l.* from rules.live_grants l where l.actor_id = queue_stages.actor_id) g
  join public.stages s
    on (g.scope -> 'from') ? s.stage or (not g.scope ? 'from' and g.scope ? 'service_tiers')
  where rules.actor_type(queue_stages.actor_id) = 'agent'
    and not g.scope ? 'clients'
$$;

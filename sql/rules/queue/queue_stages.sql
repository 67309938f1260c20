-- The stages in which an actor has work because of what it may do: reviews it may sign off, and for agents the
-- stages that its scoped grants name.
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
    select from rules.live_grants(queue_stages.actor_id) g where g.permission in ('can_sign_off_eom_review', 'can_admin')
  )
  union
  select s.stage, 'in_scope'
  from rules.live_grants(queue_stages.actor_id) g
  cross join lateral jsonb_array_elements_text(
    case when jsonb_typeof(g.scope -> 'from') = 'array' then g.scope -> 'from' else '[]' end
  ) as s (stage)
  where rules.actor_type(queue_stages.actor_id) = 'agent'
$$;

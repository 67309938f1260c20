-- The stages in which an actor's grants give it work, and why: `review` where it can sign off, and
-- for an agent `in_scope` in the stages that its grants list, or in all if a grant is narrowed by
-- tier only. Grants that list clients aren't included: rules.queue_of reads those clients directly.
create or replace function rules.granted_stages(actor_id text)
returns table (
  stage text,
  why   text
)
language sql
stable
as $$
  select 'eom_review', 'review'
  where exists (
    select
    from rules.live_grants(granted_stages.actor_id) g
    where g.permission in ('can_sign_off_eom_review', 'can_admin')
  )
  union
  select s.stage, 'in_scope'
  from rules.live_grants(granted_stages.actor_id) g
  join public.stages s
    on (g.scope -> 'from') ? s.stage or (not g.scope ? 'from' and g.scope ? 'service_tiers')
  where rules.actor_type(granted_stages.actor_id) = 'agent'
    and not g.scope ? 'clients'
$$;

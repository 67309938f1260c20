-- Whether two states of a client differ in a field besides stage and flags.
-- SQL, so that it becomes part of the expression that asks: it is asked of every client that changes.
create or replace function rules.fields_differ(
  before rules.client_state,
  after  rules.client_state
)
returns boolean
language sql
immutable
as $$
  select (
    before.stage_owner, before.stage_collaborators, before.stage_notes, before.service_tier,
    before.close_cadence, before.sales_tax_schedule, before.eligible_reviewers, before.active
  ) is distinct from (
    after.stage_owner, after.stage_collaborators, after.stage_notes, after.service_tier,
    after.close_cadence, after.sales_tax_schedule, after.eligible_reviewers, after.active
  )
$$;

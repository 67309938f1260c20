-- Whether changed_fields has anything to tell; asked of every changed row, so it only compares.
create or replace function rules.fields_differ(
  before public.clients,
  after  public.clients
)
returns boolean
language sql
immutable
return (
  before.stage_owner, before.stage_collaborators, before.stage_notes, before.service_tier,
  before.close_cadence, before.sales_tax_schedule, before.eligible_reviewers, before.active
) is distinct from (
  after.stage_owner, after.stage_collaborators, after.stage_notes, after.service_tier,
  after.close_cadence, after.sales_tax_schedule, after.eligible_reviewers, after.active
);

-- The fields of a client after an update: a null value keeps the field, a field in `clear` is emptied.
create or replace function rules.fields_after(
  before rules.client_fields,
  given  rules.client_fields,
  clear  text[]               -- names of update_client's arguments
)
returns rules.client_fields
language plpgsql
immutable
as $$
#variable_conflict use_variable
begin
  return row(
    case when 'owner' = any (clear) then null else coalesce(given.stage_owner, before.stage_owner) end,
    case
      when 'collaborators' = any (clear) then '{}'
      else coalesce(given.stage_collaborators, before.stage_collaborators)
    end,
    case when 'notes' = any (clear) then null else coalesce(given.stage_notes, before.stage_notes) end,
    coalesce(given.service_tier, before.service_tier),
    coalesce(given.close_cadence, before.close_cadence),
    coalesce(given.sales_tax_schedule, before.sales_tax_schedule),
    case when 'reviewers' = any (clear) then null else coalesce(given.eligible_reviewers, before.eligible_reviewers) end,
    coalesce(given.active, before.active)
  )::rules.client_fields;
end
$$;

-- The fields of a client of which history says nothing else, as rules.fields_json names them: what the columns of
-- `clients` default to.
create or replace function rules.first_fields()
returns jsonb
language sql
immutable
as $$
  select jsonb '{
    "stage_owner": null,
    "stage_collaborators": [],
    "stage_notes": null,
    "service_tier": "recurring_only",
    "close_cadence": "monthly",
    "sales_tax_schedule": "none",
    "eligible_reviewers": null,
    "active": true
  }'
$$;

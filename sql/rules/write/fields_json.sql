-- The fields of this system besides stage and flags, as history names them.
create or replace function rules.fields_json(client rules.client_state)
returns jsonb
language sql
immutable
as $$
  select jsonb_build_object(
    'stage_owner', client.stage_owner,
    'stage_collaborators', client.stage_collaborators,
    'stage_notes', client.stage_notes,
    'service_tier', client.service_tier,
    'close_cadence', client.close_cadence,
    'sales_tax_schedule', client.sales_tax_schedule,
    'eligible_reviewers', client.eligible_reviewers,
    'active', client.active
  )
$$;

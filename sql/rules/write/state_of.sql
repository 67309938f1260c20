-- The columns of a row of `clients` that this package maintains, by name, because the host can add columns. SQL, so
-- that the planner inlines it.
create or replace function rules.state_of(client public.clients)
returns rules.client_state
language sql
immutable
as $$
  select row(
    client.id, client.version, client.stage, client.stage_entered_at, client.returning_to_stage, client.flags,
    row(
      client.stage_owner, client.stage_collaborators, client.stage_notes, client.service_tier, client.close_cadence,
      client.sales_tax_schedule, client.eligible_reviewers, client.active
    )::rules.client_fields,
    client.close_period
  )::rules.client_state
$$;

-- The fields of a client: the argument that sets each one, the permission that it needs, and whether it can be emptied.
-- Owner, collaborators and notes are day-to-day work; the rest is the firm's agreement with the client.
create or replace function rules.field_catalog()
returns table (
  field        text,
  argument     text,
  permission   text,
  is_clearable boolean
)
language sql
immutable
as $$
  values
    ('stage_owner', 'owner', 'can_set_stage', true),
    ('stage_collaborators', 'collaborators', 'can_set_stage', true),
    ('stage_notes', 'notes', 'can_set_stage', true),
    ('service_tier', 'tier', 'can_admin', false),
    ('close_cadence', 'cadence', 'can_admin', false),
    ('sales_tax_schedule', 'schedule', 'can_admin', false),
    ('eligible_reviewers', 'reviewers', 'can_admin', true),
    ('active', 'active', 'can_admin', false)
$$;

-- The roles: named sets of permissions without a scope. A role is a way to grant; only the grants decide what an actor
-- may do.
create or replace function rules.role_catalog()
returns table (
  role        text,
  permissions text[],
  description text
)
language sql
immutable
as $$
  values
    ('viewer', array[]::text[], 'sees everything, changes nothing'),
    ('bookkeeper', array['can_set_flag', 'can_set_stage'], 'moves clients and sets flags'),
    (
      'reviewer', array['can_set_flag', 'can_set_stage', 'can_sign_off_eom_review'],
      'a bookkeeper who also signs off reviews'
    ),
    ('admin', array['can_admin'], 'everything, also people, settings and rollbacks')
$$;

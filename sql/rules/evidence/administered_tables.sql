-- The tables whose changes are recorded in administration_history: those that decide the rules, and
-- those that say what was erased or deleted. `key` lists the columns that identify a row in its
-- record (rules.administration_row).
create or replace function rules.administered_tables()
returns table (
  name text,
  key  text[]
)
language sql
immutable
as $$
  values
    ('actor_logins', array['db_role']),
    ('actor_tokens', array['id']),
    ('agent_permissions', array['id']),
    ('business_holidays', array['day']),
    ('covers', array['id']),
    ('deleted_clients', array['client_id']),
    ('erasures', array['id']),
    ('stage_flags', array['flag']),
    ('stage_seasons', array['flag']),
    ('stage_settings', array['only_row']),
    ('stage_transitions', array['from_stage', 'to_stage']),
    ('stages', array['stage'])
$$;

-- The tables that decide the rules, and those that say what was taken out of history: each change of them is on record.
create or replace function rules.administered_tables()
returns jsonb
language sql
immutable
as $$
  select jsonb_agg(t.name order by t.name)
  from unnest(array[
    'actor_logins', 'actor_tokens', 'agent_permissions', 'business_holidays', 'deleted_clients', 'erasures',
    'stage_flags', 'stage_seasons', 'stage_settings', 'stage_transitions', 'stages'
  ]) as t (name)
$$;

-- The plan's paths, and the function of `api` that each one calls. A star stands for one value: the argument in
-- `by_path`, in order. `by_query` renames arguments of the query to the function's.
create or replace function rules.paths()
returns table (
  path     text,
  method   text,
  called   text,
  by_path  text[],
  by_query jsonb
)
language sql
immutable
as $$
  values
    ('/api/clients',                            'GET',    'clients',       array[]::text[],           null::jsonb),
    ('/api/clients/*',                          'GET',    'client',        '{client_id}',             null),
    ('/api/clients/*',                          'PATCH',  'update_client', '{client_id}',             null),
    ('/api/clients/*/stage',                    'PATCH',  'set_stage',     '{client_id}',             null),
    ('/api/clients/*/flags/*',                  'POST',   'set_flag',      '{client_id, flag}',       null),
    ('/api/clients/*/flags/*',                  'DELETE', 'clear_flag',    '{client_id, flag}',       null),
    ('/api/clients/*/stage_history',            'GET',    'stage_history', '{client_id}',             '{"limit": "page_size"}'),
    ('/api/clients/*/stage_history/*/rollback', 'POST',   'rollback',      '{client_id, history_id}', null),
    ('/api/agents/*/queue',                     'GET',    'queue',         '{actor_id}',              null)
$$;

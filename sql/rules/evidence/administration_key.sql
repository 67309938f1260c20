-- By what a row of one of the tables that are on record is known; null for any other table.
create or replace function rules.administration_key(
  about text,   -- the table
  row_  jsonb   -- the row
)
returns jsonb
language sql
immutable
as $$
  select case
    when about in ('agent_permissions', 'erasures') then jsonb_build_object('id', row_ -> 'id')
    when about = 'deleted_clients' then jsonb_build_object('client_id', row_ -> 'client_id')
    when about = 'actor_tokens' then jsonb_build_object('id', left(row_ ->> 'token_hash', 12))
    when about = 'actor_logins' then jsonb_build_object('db_role', row_ -> 'db_role')
    when about = 'stage_settings' then jsonb_build_object('only_row', row_ -> 'only_row')
    when about = 'stages' then jsonb_build_object('stage', row_ -> 'stage')
    when about = 'stage_transitions' then jsonb_build_object('from_stage', row_ -> 'from_stage', 'to_stage', row_ -> 'to_stage')
    when about in ('stage_flags', 'stage_seasons') then jsonb_build_object('flag', row_ -> 'flag')
    when about = 'business_holidays' then jsonb_build_object('day', row_ -> 'day')
  end
$$;

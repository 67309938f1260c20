-- AFTER STATEMENT on clients, for statements that no function of `api` or `jobs` made, before the recording
-- triggers: whatever context the session set, a plain SQL statement is its own login's, through psql.
create or replace function rules.own_context()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform rules.begin_change('any', jsonb_build_object(
    'actor_id', rules.current_actor(),
    'reason', nullif(current_setting('atlas.act_as_reason', true), ''),
    'channel', 'psql'
  ));
  return null;
end
$$;

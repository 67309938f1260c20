-- The id of the client that a trial (ops.trial) creates and rolls back. No sequence is used for it or for its history,
-- so a trial leaves no gap in the ids. SQL and stable, so that the planner inlines it instead of calling it.
create or replace function rules.trial_client()
returns bigint
language sql
stable
as $$
  select -2147480019::bigint
$$;

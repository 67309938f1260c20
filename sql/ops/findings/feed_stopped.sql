-- The feed of changes answers 503: the transaction ids of this server don't continue those of the history.
create or replace function ops.feed_stopped()
returns setof ops.finding
language plpgsql
stable
as $$
begin
  if not rules.feed_is_in_order() then
    return next (
      'feed_stopped', 'error', '{}',
      'this database was moved to another server: changes answers 503, and boards reload everything',
      'run: atlas-stage migrate'
    )::ops.finding;
  end if;
end
$$;

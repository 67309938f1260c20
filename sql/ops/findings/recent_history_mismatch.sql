-- history_mismatch for the clients of the newest thousand changes only: cheap enough to run
-- every minute.
create or replace function ops.recent_history_mismatch()
returns setof ops.finding
language plpgsql
stable
as $$
begin
  return query
    select
      'history_mismatch', 'error',
      jsonb_build_object('client_id', c.id, 'version', c.version, 'history_version', newest.version),
      format(
        'client %s (%s) is at version %s, but its history ends with version %s', c.id, c.slug, c.version, newest.version
      ),
      'it was changed around the triggers: find out by whom, then repair it manually'
    from (
      select h.client_id, max(h.version) as version
      from (select h.client_id, h.version from public.stage_history h order by h.id desc limit 1000) as h
      group by 1
    ) as newest
    join public.clients c on c.id = newest.client_id
    where c.version <> newest.version
    order by c.id;
end
$$;

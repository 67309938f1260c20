-- Since when changes are missing from the feed: when the oldest committed change was recorded that it doesn't show yet,
-- because a transaction that was open then still is. Null: none is missing.
create or replace function rules.feed_behind()
returns timestamptz
language plpgsql
stable
as $$
begin
  return (
    select h.recorded_at
    from public.stage_history h
    where h.epoch = (select max(e.epoch) from public.feed_epochs e)
      and h.xid >= pg_snapshot_xmin(pg_current_snapshot())
      and h.xid is distinct from pg_current_xact_id_if_assigned()
    order by h.epoch, h.xid, h.id
    limit 1
  );
end
$$;

-- Whether this server's transaction ids continue those of the newest epoch. After a restore into another server they
-- don't, until `migrate` begins a new epoch. pg_upgrade changes the server's identifier too, but keeps the ids, and the
-- xmin of rows: the epoch's row shows that this is still the cluster that wrote it.
create or replace function rules.feed_is_in_order()
returns boolean
language plpgsql
stable
as $$
declare
  v_newest record;
begin
  select e.epoch, e.system_identifier, e.xmin::text = mod(e.xid::text::numeric, 4294967296)::text as is_of_cluster
  into v_newest
  from public.feed_epochs e
  order by e.epoch desc
  limit 1;
  return (
    v_newest.is_of_cluster is true
    or v_newest.system_identifier = (select s.system_identifier from pg_control_system() s)
  ) and ((
    select h.xid
    from public.stage_history h
    where h.epoch = v_newest.epoch
      and h.xid is distinct from pg_current_xact_id_if_assigned()  -- the caller's own change, not committed yet
    order by h.epoch desc, h.xid desc, h.id desc
    limit 1
  ) >= pg_snapshot_xmax(pg_current_snapshot())) is not true;
end
$$;

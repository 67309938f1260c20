-- Begin a new epoch of the feed if this database was moved to another server. Returns whether it was. `migrate` calls
-- it as the owner of the tables, because only the owner can change the column default.
create or replace function ops.renew_feed()
returns boolean
language plpgsql
volatile
as $$
#variable_conflict use_variable
declare
  v_epoch  integer;
  v_newest public.stage_history;
begin
  if rules.feed_is_in_order() then
    -- After pg_upgrade, and after an install: migrations run in subtransactions, whose rows don't have the xid of the
    -- transaction.
    update public.feed_epochs e
    set system_identifier = s.system_identifier, xid = pg_current_xact_id()
    from pg_control_system() s
    where e.epoch = (select max(newest.epoch) from public.feed_epochs newest)
      and (
        e.system_identifier <> s.system_identifier
        or e.xmin::text <> mod(e.xid::text::numeric, 4294967296)::text
      );
    return false;
  end if;

  lock table public.stage_history in access exclusive mode;
  select max(e.epoch) into v_epoch from public.feed_epochs e;
  select h.* into v_newest
  from public.stage_history h
  where h.epoch = v_epoch
  order by h.xid desc, h.id desc
  limit 1;

  -- Rows that this server has already written are newer than the restored rows, although their ids are lower.
  insert into public.feed_epochs (epoch, system_identifier, late_from_id, late_to_id)
  select
    v_epoch + 1,
    (select s.system_identifier from pg_control_system() s),
    min(h.id),
    max(h.id)
  from public.stage_history h
  where v_newest.xid >= pg_snapshot_xmax(pg_current_snapshot())
    and h.epoch = v_epoch
    and h.xid < pg_snapshot_xmax(pg_current_snapshot())
    and h.recorded_at > v_newest.recorded_at;
  execute format('alter table public.stage_history alter column epoch set default %s', v_epoch + 1);
  execute format('alter table public.administration_history alter column epoch set default %s', v_epoch + 1);
  return true;
end
$$;

-- Replication slots that no program reads and that keep more than 1 GB of log: the disk fills until no write succeeds.
create or replace function ops.slot_inactive()
returns setof ops.finding
language plpgsql
stable
as $$
begin
  return query
    select
      'slot_inactive', 'warning', jsonb_build_object('slot', s.slot_name, 'bytes', s.bytes),
      format('replication slot %s is inactive and keeps %s of log: the disk can fill', s.slot_name, pg_size_pretty(s.bytes)),
      format('start its reader, or: select pg_drop_replication_slot(%L)', s.slot_name)
    from (
      select
        r.slot_name,
        pg_wal_lsn_diff(
          case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end, r.restart_lsn
        ) as bytes
      from pg_catalog.pg_replication_slots r
      where not r.active
    ) s
    where s.bytes > 1073741824
    order by s.slot_name;
end
$$;

-- This moment, as the first part of a digest: which transactions had committed, by their snapshot.
-- A transaction that is still open and commits later is not part of it. A standby's snapshot
-- doesn't list open transactions, and a transaction can't rely on its own rows: both get the moment
-- before the oldest open transaction.
create or replace function rules.digest_moment()
returns text
language plpgsql
stable
as $$
declare
  v_snapshot pg_snapshot := pg_current_snapshot();
begin
  if not rules.feed_is_in_order() then
    perform rules.refuse('feed_not_in_order');
  end if;
  if pg_is_in_recovery() or pg_current_xact_id_if_assigned() is not null then
    v_snapshot := format('%1$s:%1$s:', pg_snapshot_xmin(v_snapshot))::pg_snapshot;
  end if;
  return format(
    'atlas-digest/1/at=%s/epoch=%s/snapshot=%s/history=%s/administration=%s',
    to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
    (select max(e.epoch) from public.feed_epochs e),
    v_snapshot,
    (select coalesce(max(h.id), 0) from public.stage_history h),
    (select coalesce(max(a.id), 0) from public.administration_history a)
  );
end
$$;

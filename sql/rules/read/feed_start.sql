-- A place in the feed just before the first transaction that began at or after `since`. A
-- transaction gets its id after it began and before it writes, so all rows with lower ids than a
-- row written before `since` are from transactions that began before `since`. A bisection over the
-- ids of an epoch finds that row and needs no separate index.
create or replace function rules.feed_start(
  since     timestamptz,
  out epoch integer,
  out xid   xid8,
  out id    bigint
)
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_low    bigint;  -- written before `since`
  v_high   bigint;  -- not known to be
  v_middle bigint;
  v_found  record;
begin
  for epoch in select e.epoch from public.feed_epochs e order by e.epoch desc loop
    select h.xid::text::bigint as xid, coalesce(h.recorded_at, h.occurred_at + interval '1 day') < since as is_before
    into v_found
    from public.stage_history h
    where h.epoch = epoch
    order by h.xid, h.id
    limit 1;
    continue when v_found.is_before is not true;

    v_low := v_found.xid;
    v_high := 1 + (select max(h.xid) from public.stage_history h where h.epoch = epoch)::text::bigint;
    while v_high - v_low > 1 loop
      v_middle := v_low + (v_high - v_low) / 2;
      select h.xid::text::bigint as xid, coalesce(h.recorded_at, h.occurred_at + interval '1 day') < since as is_before
      into v_found
      from public.stage_history h
      where h.epoch = epoch
        and h.xid >= v_middle::text::xid8
      order by h.xid, h.id
      limit 1;
      if v_found.is_before then
        v_low := v_found.xid;
      else
        v_high := v_middle;
      end if;
    end loop;
    xid := v_low::text::xid8;
    id := 9223372036854775807;
    return;
  end loop;
  epoch := 0;
  xid := xid8 '0';
  id := 0;
end
$$;

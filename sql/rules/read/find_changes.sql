-- The ids of the history rows that follow a place in the feed, in the order of the feed, and the
-- cursor of each. The planner estimates every range of the feed as short. So the range is
-- compared in one row comparison with the filter: then only the index of that client, actor or stage
-- can be used. The query has the filters that are given and no others; EXECUTE plans it with their
-- values. Its text consists of constants; the values are parameters.
create or replace function rules.find_changes(
  actor_id    text,
  client_id   bigint,
  stage       text,
  since       timestamptz,
  after_epoch integer,
  after_xid   xid8,
  after_id    bigint,
  number      integer,
  out ids     bigint[],
  out cursors text[]
)
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_newest constant integer := (select max(e.epoch) from public.feed_epochs e);
  -- only rows of finished transactions: a running one has an id from here on, or none yet
  v_horizon constant xid8 := pg_snapshot_xmin(pg_current_snapshot());
  v_column constant text := case
    when client_id is not null then 'h.client_id, '
    when actor_id is not null then 'h.actor_id, '
    when stage is not null then 'h.to_stage, '
  end;
  v_value  constant text := case
    when client_id is not null then '$2, '
    when actor_id is not null then '$1, '
    when stage is not null then '$3, '
  end;
  v_wanted constant text := concat_ws(
    ' and ',
    'true',
    case when actor_id is not null then 'h.actor_id = $1' end,
    case when client_id is not null then 'h.client_id = $2' end,
    case when stage is not null then 'h.to_stage = $3' end,
    case when since is not null then 'h.occurred_at >= $4' end
  );
  v_query  text := format(
    'select h.epoch, h.xid, h.id
    from public.stage_history h
    where %1$s
      and (%2$s h.epoch, h.xid, h.id) > (%3$s $5, $6, $7)
      and (%2$s h.epoch, h.xid) < (%3$s $8, $9)',
    v_wanted, v_column, v_value
  );
begin
  if exists (select from public.feed_epochs e where e.late_from_id is not null) then
    -- rows that this server wrote before its epoch began belong to that epoch
    v_query := format(
      '(
        %s
        and not exists (
          select from public.feed_epochs e where e.epoch = h.epoch + 1 and h.id between e.late_from_id and e.late_to_id
        )
        order by h.epoch, h.xid, h.id
        limit $10
      )
      union all
      (
        select e.epoch, h.xid, h.id
        from public.feed_epochs e
        join public.stage_history h on h.id between e.late_from_id and e.late_to_id and h.epoch = e.epoch - 1
        where %s
          and (e.epoch, h.xid, h.id) > ($5, $6, $7)
          and (e.epoch, h.xid) < ($8, $9)
        order by e.epoch, h.xid, h.id
        limit $10
      )',
      v_query, v_wanted
    );
  end if;
  execute format(
    'select array_agg(f.id), array_agg(rules.feed_cursor(f.epoch, f.xid, f.id))
    from (%s order by epoch, xid, id limit $10) as f',
    v_query
  )
  into ids, cursors
  using actor_id, client_id, stage, since, after_epoch, after_xid, after_id, v_newest, v_horizon, number;
end
$$;

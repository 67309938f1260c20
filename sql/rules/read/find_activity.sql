-- The newest history rows before a place in the feed, and the cursor of each. As in rules.find_changes, a range of the
-- feed is compared in one row comparison with the actor, so that only the index of that actor can be used. A client has
-- few rows, and they are sorted. The text of the query consists of constants; the values are parameters.
create or replace function rules.find_activity(
  actor_id    text,
  client_id   bigint,
  day         date,       -- in the firm's time zone; null: any
  from_epoch  integer,    -- after this place
  from_xid    xid8,
  from_id     bigint,
  to_epoch    integer,    -- and before this one
  to_xid      xid8,
  to_id       bigint,
  number      integer,
  out ids     bigint[],
  out cursors text[]
)
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_is_of_actor constant boolean := actor_id is not null and client_id is null;
begin
  execute format(
    'select array_agg(f.id), array_agg(rules.feed_cursor(f.epoch, f.xid, f.id))
    from (
      select h.epoch, h.xid, h.id
      from public.stage_history h
      where %1$s
        and (%2$s h.epoch, h.xid, h.id) > (%3$s $5, $6, $7)
        and (%2$s h.epoch, h.xid, h.id) < (%3$s $8, $9, $10)
      order by h.epoch desc, h.xid desc, h.id desc
      limit $11
    ) as f',
    concat_ws(
      ' and ',
      'true',
      case when actor_id is not null then 'h.actor_id = $1' end,
      case when client_id is not null then 'h.client_id = $2' end,
      case when day is not null then 'h.occurred_at >= $3 and h.occurred_at < $4' end
    ),
    case when v_is_of_actor then 'h.actor_id, ' end,
    case when v_is_of_actor then '$1, ' end
  )
  into ids, cursors
  using
    actor_id, client_id, rules.firm_instant(day), rules.firm_instant(day + 1), from_epoch, from_xid, from_id,
    to_epoch, to_xid, to_id, number;
end
$$;

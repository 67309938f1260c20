create or replace function api.history_seals(
  as_of     text default null,
  after     bigint default null,
  page_size integer default 100
)
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
#variable_conflict use_variable
declare
  v_moment text[];
  v_as_of  text := as_of;
  v_from   bigint;
  v_first  bigint;
  v_last   bigint;
  v_more   boolean;
begin
  -- GUARD
  perform rules.require_permission(rules.current_actor(), 'can_admin');
  perform rules.require_page_size(page_size);
  if as_of is null then
    if not rules.feed_is_in_order() then
      perform rules.refuse('feed_not_in_order');
    end if;
    v_as_of := rules.feed_cursor(
      (select max(e.epoch) from public.feed_epochs e),
      pg_snapshot_xmin(pg_current_snapshot()),
      (select coalesce(max(h.id), 0) from public.stage_history h)
    );
  end if;
  v_moment := regexp_match(v_as_of, '^([0-9]{1,9})[.]([0-9]{1,18})[.]([0-9]{1,18})$');
  if v_moment is null then
    perform rules.refuse('cursor_not_valid', jsonb_build_object('as_of', left(as_of, 200)));
  end if;

  -- ACT: by hundreds of ids, from the first in which there is a client; ends of an index, so that nothing else is read
  v_from := case
    when after is null then -9223372036854775808
    else (least(greatest(after, -90000000000000000), 90000000000000000) + 1) * 100
  end;
  v_first := least(
    (select min(c.id) from public.clients c where c.id >= v_from),
    (select min(d.client_id) from public.deleted_clients d where d.client_id >= v_from)
  ) / 100;
  v_last := v_first + page_size - 1;
  v_more := greatest(
    (select max(c.id) from public.clients c),
    (select max(d.client_id) from public.deleted_clients d)
  ) >= (v_last + 1) * 100;
  return jsonb_build_object(
    'as_of', v_as_of,
    'seals', (
      select coalesce(jsonb_agg(to_jsonb(s.*) order by s.hundred), '[]')
      from (
        with newest as (
          select c.id, h.version, h.row_hash
          from public.clients c
          cross join lateral (
            select h.version, h.row_hash
            from public.stage_history h
            where h.client_id = c.id
              -- sums, so that no other index than that of the client's versions is thought of
              and h.id + 0 <= v_moment[3]::bigint
              and (h.epoch + 0, h.xid) < (v_moment[1]::integer, v_moment[2]::xid8)
            order by h.version desc
            limit 1
          ) as h
          where c.id between v_first * 100 and v_last * 100 + 99
          union all
          -- who was taken out by an admin is kept apart, with the row that there was
          select d.client_id, 0, (d.history ->> 'row_hash')::bytea
          from public.deleted_clients d
          where d.client_id between v_first * 100 and v_last * 100 + 99
            and (d.history ->> 'id')::bigint <= v_moment[3]::bigint
            and ((d.history ->> 'epoch')::integer, (d.history ->> 'xid')::xid8) < (v_moment[1]::integer, v_moment[2]::xid8)
        )
        select
          n.id / 100 as hundred,
          count(*) as clients,
          sum(n.version + 1)::bigint as rows,
          encode(sha256(string_agg(int8send(n.id) || int8send(n.version) || coalesce(n.row_hash, ''), '' order by n.id)), 'hex') as sha256
        from newest n
        group by n.id / 100
        order by n.id / 100
      ) as s
    ),
    'next_after', case when v_more then v_last end
  );
end
$$;

comment on function api.history_seals(text, bigint, integer) is
'What all histories are at a moment, as hashes: kept elsewhere, they show later whether it was rewritten up to then.
as_of: the moment, from an earlier answer; now, when left out. after: next_after of the page before. page_size: 1 to 1,000, in hundreds of client ids. For can_admin.
Answers {as_of, seals, next_after}: hundred (client ids from hundred * 100 on), clients, rows, sha256.
Errors: permission_missing (403); cursor_not_valid, page_size_not_valid (422); feed_not_in_order (503).';

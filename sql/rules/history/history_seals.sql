-- What the histories of these clients were at a moment, sealed: for each hundred of ids one hash, over the newest row
-- that each client had then. That row's hash stands for all before it, so nothing up to then can change unseen. Rows of
-- transactions that were still at work at that moment are not among them, and never will be.
create or replace function rules.history_seals(
  from_hundred bigint,
  to_hundred   bigint,
  epoch        integer,   -- the moment: every transaction before this one,
  xid          xid8,
  last_id      bigint     -- and no row after this one
)
returns table (
  hundred bigint,
  clients bigint,
  rows    bigint,
  sha256  text
)
language plpgsql
stable
set jit = off
as $$
#variable_conflict use_variable
begin
  return query
    with newest as (
      select c.id, h.version, h.row_hash
      from public.clients c
      cross join lateral (
        select h.version, h.row_hash
        from public.stage_history h
        where h.client_id = c.id
          -- sums, so that no other index than that of the client's versions is thought of
          and h.id + 0 <= last_id
          and (h.epoch + 0, h.xid) < (epoch, xid)
        order by h.version desc
        limit 1
      ) as h
      where c.id between from_hundred * 100 and to_hundred * 100 + 99
      union all
      -- who was taken out by an admin is kept apart, with the row that there was
      select d.client_id, 0, (d.history ->> 'row_hash')::bytea
      from public.deleted_clients d
      where d.client_id between from_hundred * 100 and to_hundred * 100 + 99
        and (d.history ->> 'id')::bigint <= last_id
        and ((d.history ->> 'epoch')::integer, (d.history ->> 'xid')::xid8) < (epoch, xid)
    )
    select
      n.id / 100,
      count(*),
      sum(n.version + 1)::bigint,
      encode(sha256(string_agg(int8send(n.id) || int8send(n.version) || coalesce(n.row_hash, ''), '' order by n.id)), 'hex')
    from newest n
    group by n.id / 100
    order by n.id / 100;
end
$$;

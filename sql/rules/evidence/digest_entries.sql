-- The entries of a digest, one page in a fixed order: for each client the newest history row of
-- the moment, which contains the hashes of all earlier rows, or each record of administration. A
-- row belongs to the moment if its transaction had committed then; rows of earlier epochs do
-- (feed_epochs), rows with a greater id were written later.
create or replace function rules.digest_entries(
  part      text,         -- clients, records
  after     bigint,       -- the last id of the page before
  page_size integer,
  epoch     integer,
  snapshot  pg_snapshot,
  newest_id bigint
)
returns table (
  id    bigint,   -- of the client or the record
  rows  bigint,   -- how many rows the entry covers
  entry bytea     -- null: the client has no row of the moment
)
language plpgsql
stable
set jit = off
as $$
#variable_conflict use_variable
begin
  if part = 'clients' then
    return query
      select
        i.id,
        newest.version + 1,
        int8send(i.id) || int8send(newest.version) || coalesce(newest.row_hash, '')
      from (
        (select c.id from public.clients c where c.id > after order by c.id limit page_size)
        union
        (
          select d.client_id
          from public.deleted_clients d
          where d.client_id > after
          order by d.client_id
          limit page_size
        )
        order by 1
        limit page_size
      ) as i
      left join lateral (
        (
          select h.version, h.row_hash
          from public.stage_history h
          where h.client_id = i.id
            and (h.epoch < epoch or h.epoch = epoch and pg_visible_in_snapshot(h.xid, snapshot))
            -- a sum, so that only the index on (client_id, version) gives this order
            and h.id + 0 <= newest_id
          order by h.version desc
          limit 1
        )
        union all
        -- a deleted client keeps the entry that its one row had
        select h.version, h.row_hash
        from public.deleted_clients d
        cross join lateral jsonb_populate_record(null::public.stage_history, d.history) as h
        where d.client_id = i.id
          and (h.epoch < epoch or h.epoch = epoch and pg_visible_in_snapshot(h.xid, snapshot))
          and h.id <= newest_id
      ) as newest on true
      order by i.id, newest.version, newest.row_hash;
  else
    return query
      select a.id, 1::bigint, int8send(a.id) || coalesce(a.row_hash, '')
      from public.administration_history a
      where a.id > after
        and (a.epoch < epoch or a.epoch = epoch and pg_visible_in_snapshot(a.xid, snapshot))
        and a.id <= newest_id
      order by a.id
      limit page_size;
  end if;
end
$$;

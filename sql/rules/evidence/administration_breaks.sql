-- Where the record of administration is not what was recorded, from a place in the chain on, up to another; without the
-- other to the end, with what stands outside of the chain. None: it is. What this very transaction recorded has no
-- place yet.
create or replace function rules.administration_breaks(
  after bigint,   -- the place before the first; null: from the beginning
  last  bigint    -- the last place
)
returns table (
  record_id bigint,
  place     bigint,
  problem   text
)
language plpgsql
stable
set jit = off
as $$
#variable_conflict use_variable
declare
  v_after constant bigint := coalesce(after, -9223372036854775808);
  v_last  constant bigint := coalesce(last, 9223372036854775807);
begin
  return query
    with hashed as (
      select
        a.id, a.place, a.row_hash,
        coalesce(lag(a.place) over in_order, 0) as place_before,
        rules.administration_hash(
          a.*, a.place, case when a.place = 1 then '' else lag(a.row_hash) over in_order end
        ) as expected
      from public.administration_history a
      where a.place between v_after and v_last
      window in_order as (order by a.place)
    ),
    looked_at as (
      select
        h.id, h.place,
        case
          when h.place <> h.place_before + 1 then 'row_missing'
          when h.row_hash is distinct from h.expected then 'row_altered'
        end as problem
      from hashed h
      where h.place > v_after or after is null
    ),
    ends as (
      select coalesce(c.length, 0) as length, c.row_hash, newest.place, newest.row_hash as newest_hash
      from (values (true)) as one (row_)
      left join public.administration_chain c on true
      left join lateral (
        select a.place, a.row_hash
        from public.administration_history a
        where a.place is not null
        order by a.place desc
        limit 1
      ) as newest on true
      where last is null
    )
    select l.id, l.place, l.problem
    from looked_at l
    where l.problem is not null
    union all
    select a.id, null, 'hash_missing'
    from public.administration_history a
    where last is null
      and a.place is null
      and a.xid is distinct from pg_current_xact_id_if_assigned()
    union all
    select
      null, e.length,
      case
        when e.place > e.length then 'chain_set_back'
        when e.place = e.length then 'row_altered'
        else 'row_missing'
      end
    from ends e
    where (e.length, e.row_hash) is distinct from (e.place, e.newest_hash)
    order by 2, 1, 3;
end
$$;

-- Where the record of administration differs from what was recorded, for the records with these
-- ids: each record is compared with its hash and with the same key's record before it. To the end,
-- also each administered row with its newest record.
create or replace function rules.administration_breaks(
  from_id bigint,
  to_id   bigint   -- null: to the end
)
returns table (
  about     text,
  key       jsonb,
  version   bigint,
  record_id bigint,
  problem   text    -- row_missing, hash_missing, row_altered; row_gone, row_added, row_changed
)
language plpgsql
stable
set jit = off
as $$
#variable_conflict use_variable
begin
  return query
    select b.*
    from (
      select
        a.about, a.key, a.version, a.id,
        case
          when a.version <> coalesce(previous.version, -1) + 1 then 'row_missing'
          when a.row_hash is null then 'hash_missing'
          when a.row_hash is distinct from rules.administration_hash(
            a.*, case when a.version = 0 then '' else previous.row_hash end
          ) then 'row_altered'
        end as problem
      from public.administration_history a
      left join lateral (
        select p.version, p.row_hash
        from public.administration_history p
        where p.about = a.about
          and p.key = a.key
          and p.version < a.version
        order by p.version desc
        limit 1
      ) as previous on true
      where a.id between from_id and coalesce(to_id, 9223372036854775807)
    ) as b
    where b.problem is not null
    union all
    select m.about, m.key, null, null, m.problem
    from rules.administration_mismatches() m
    where to_id is null
    order by 4, 1, 2;
end
$$;

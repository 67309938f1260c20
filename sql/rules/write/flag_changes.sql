-- The difference of two sets of flags, one row per flag, in the order in which they take versions. A move removes
-- `stuck` itself: that is part of the move.
create or replace function rules.flag_changes(
  old_flags text[],
  new_flags text[],
  moved     boolean
)
returns table (
  ordinal bigint,
  added   text,
  removed text
)
language sql
immutable
as $$
  select row_number() over (order by f.added is not null, coalesce(f.added, f.removed)), f.added, f.removed
  from (
    select null as added, o.flag as removed
    from unnest(old_flags) as o (flag)
    where o.flag <> all (new_flags)
    union all
    select n.flag, null
    from unnest(new_flags) as n (flag)
    where n.flag <> all (old_flags)
  ) as f
  where not (moved and coalesce(f.added, f.removed) = 'stuck')
$$;

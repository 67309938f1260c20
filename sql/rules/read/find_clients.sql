-- The ids of the next clients of a list in its order, and the keys that it is sorted by (null: by
-- id).
-- EXECUTE plans the query with the values of its filters: a rare flag, a common word and an owner
-- of many clients need different indexes. Its text consists of constants; the values are
-- parameters.
-- If few clients can match, those are sorted. Otherwise indexes give the list in order until the
-- page is full. By age and by SLA that takes one index scan per stage: the client that has been in
-- a stage longest is also the nearest to its SLA. If a flag is wanted, it takes one per stage and
-- set of flags.
create or replace function rules.find_clients(
  filter   rules.client_filter,
  number   integer,
  out ids  bigint[],
  out keys timestamptz[]
)
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_by_id  constant boolean := filter.sort = 'id';
  v_flag   text;  -- wanted, if the index scans are per set of flags
  v_stages text[];
  v_slas   interval[];
  v_sets   text[];
  v_where  text;
  v_query  text;
begin
  -- the most frequent lists keep their plans: planning takes longer than reading a page
  if v_by_id and filter.active and num_nonnulls(
    filter.ids, filter.flag, filter.unowned, filter.entered_by, filter.stuck, filter.attention, filter.service_tier,
    filter.search, filter.owner, filter.stages
  ) = num_nonnulls(filter.owner, filter.stages[1]) and num_nonnulls(filter.owner, filter.stages[1], filter.stages[2]) < 2 then
    if filter.owner is not null then
      ids := array(
        select c.id
        from public.clients c
        where c.stage_owner = filter.owner
          and c.id > coalesce(filter.after_id, -9223372036854775808)
          and c.active
        order by c.id
        limit number
      );
    elsif filter.stages is not null then
      ids := array(
        select c.id
        from public.clients c
        where c.stage = filter.stages[1]
          and c.id > coalesce(filter.after_id, -9223372036854775808)
          and c.active
        order by c.id
        limit number
      );
    else
      ids := array(
        select c.id
        from public.clients c
        where c.id > coalesce(filter.after_id, -9223372036854775808)
          and c.active
        order by c.id
        limit number
      );
    end if;
    return;
  end if;

  filter := rules.narrowed_filter(filter);
  if filter.ids is null and filter.active then
    v_flag := filter.flag;
    filter.flag := null;
  end if;
  v_where := rules.client_conditions(filter);
  if not v_by_id or filter.stages is not null or v_flag is not null then
    select
      coalesce(array_agg(s.stage), '{}'),  -- no client has the flag: no parts
      array_agg(case filter.sort when 'sla' then s.sort_by else interval '0' end),
      array_agg(f.flags::text)
    into v_stages, v_slas, v_sets
    from rules.stage_limits(now()) s
    cross join lateral (
      select null::text[] as flags where v_flag is null
      union all
      select e.flags from rules.flag_sets(s.stage) e where v_flag is not null and e.flags @> array[v_flag]
    ) as f
    where filter.stages is null or s.stage = any (filter.stages);
  end if;

  v_query := format(
    'select c.id, %s as key from %s where %s order by %s limit $2',
    case when v_by_id then 'null::timestamptz' else 'c.stage_entered_at + p.sla' end,
    case
      when v_stages is not null and filter.ids is not null
        then 'unnest($3, $4) as p (stage, sla) cross join public.clients c'
      else 'public.clients c'
    end,
    concat_ws(
      ' and ',
      'true',
      nullif(v_where, ''),
      case when v_stages is not null then 'c.stage = p.stage' end,
      case when v_flag is not null then 'c.flags <> ''{}'' and c.flags = p.flags::text[]' end,
      -- the first page has no condition on the id: with one, an index on owner and stage looks expensive
      case
        when filter.after_id is null then null
        when v_by_id then 'c.id > ($1).after_id'
        else '(c.stage_entered_at, c.id) > (($1).after_key - p.sla, ($1).after_id)'
      end
    ),
    case when v_by_id then 'c.id' when filter.ids is null then 'c.stage_entered_at, c.id' else 'key, c.id' end
  );
  if v_stages is not null and filter.ids is null then
    v_query := format(
      'select c.id, c.key from unnest($3, $4, $5) as p (stage, sla, flags) cross join lateral (%s) as c
      order by c.key, c.id limit $2',
      v_query
    );
  end if;
  execute format('select array_agg(c.id), array_agg(c.key) from (%s) as c', v_query)
  into ids, keys
  using filter, number, v_stages, v_slas, v_sets;
end
$$;

create or replace function api.clients(
  stage        text default null,
  flag         text default null,
  owner        text default null,
  age_days_gt  integer default null,
  stuck        boolean default null,
  service_tier text default null,
  active       boolean default true,
  search       text default null,
  after        bigint default null,
  page_size    integer default 100,
  attention    text default null,
  unowned      boolean default null,
  client_ids   bigint[] default null,
  sort         text default null,
  cursor       text default null
)
returns api."application/json"
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
-- each call gets the plan of its own filters
set plan_cache_mode = force_custom_plan
-- what a page has, an index finds, however few rows the planner thinks there are
set random_page_cost = 1.1
set enable_seqscan = off
-- before PostgreSQL 18 what is switched off has a price, and a dear query is compiled first, for seconds
set jit = off
as $$
#variable_conflict use_variable
declare
  v_actor     text := rules.current_actor();
  v_stages    text[] := string_to_array(nullif(stage, ''), ',');
  v_flag      text := nullif(flag, '');
  v_owner     text := nullif(owner, '');
  v_tier      text := nullif(service_tier, '');
  v_search    text := nullif(search, '');
  v_attention text := nullif(attention, '');
  v_sort      text := coalesce(nullif(sort, ''), 'id');
  -- an index knows the sets of flags of those who are active
  v_of_set    text := case when active then v_flag end;
  v_else_flag text := case when active then null else v_flag end;
  v_words     tsquery;
  v_common    tsquery;
  v_is_few    boolean;
  -- least and greatest pass over null, so it is asked first
  v_before    timestamptz := case
    when age_days_gt is not null
      then now() - make_interval(hours => 24 * (1 + least(greatest(age_days_gt, -36500), 36500)))
  end;
  v_place     text[] := regexp_match(nullif(cursor, ''), '^(-?[0-9]{1,17})[.](-?[0-9]{1,18})$');
  v_key       timestamptz := timestamptz 'epoch' + v_place[1]::bigint * interval '1 microsecond';
  v_id        bigint := v_place[2]::bigint;
  v_ids       bigint[];
  v_among     bigint[];  -- of these only
  v_cursor    text;
  v_each      text;
begin
  -- GUARD
  perform rules.require_page_size(page_size);
  foreach v_each in array coalesce(v_stages, '{}') loop
    perform rules.refuse_all(rules.unknown_stage(v_each));
  end loop;
  if v_flag is not null then
    perform rules.refuse_all(rules.unknown_flag(v_flag));
  end if;
  if v_tier is not null and v_tier <> all (rules.known_words('clients_service_tier_check')) then
    perform rules.refuse('unknown_value', jsonb_build_object('field', 'service_tier'));
  end if;
  if v_attention not in ('stuck', 'waiting_on_client', 'none') then
    perform rules.refuse('unknown_value', jsonb_build_object(
      'field', 'attention', 'known', array['stuck', 'waiting_on_client', 'none']
    ));
  end if;
  if v_sort not in ('id', 'age', 'sla') then
    perform rules.refuse('unknown_value', jsonb_build_object('field', 'sort', 'known', array['id', 'age', 'sla']));
  end if;
  if nullif(cursor, '') is not null and v_place is null or (v_sort <> 'id' and after is not null) then
    perform rules.refuse('cursor_not_valid');
  end if;
  if v_search is not null then
    select q.words, q.common, q.is_few into v_words, v_common, v_is_few from rules.search_query(v_search) q;
  end if;

  -- ACT: few ask for attention, and indexes know them; of those who are no longer active only who is flagged so
  v_among := case
    when stuck or v_else_flag = 'stuck' then rules.asking_clients('flagged')
    when active and v_attention in ('stuck', 'waiting_on_client') then rules.asking_clients(v_attention)
  end;
  if v_among is not null and client_ids is not null then
    v_among := array(select unnest(v_among) intersect select unnest(client_ids));
  end if;
  v_among := coalesce(v_among, client_ids);

  -- the page is one more, to know whether another one follows
  if v_is_few then
    -- whom a search finds, as the index gives them, and sorted then: no order is a reason to look through others
    select array_agg(found.id order by found.key, found.id)
    into v_ids
    from (
      select f.id, k.key
      from (
        select c.id, c.stage, c.stage_entered_at
        from rules.filtered_clients(
          v_flag, v_owner, unowned, v_before, stuck, v_attention, v_tier, active, v_words, v_common, v_among
        ) c
        offset 0
      ) as f
      join public.stages s on s.stage = f.stage
      cross join lateral (
        select case v_sort
          when 'id' then timestamptz 'epoch'
          when 'age' then f.stage_entered_at
          else f.stage_entered_at + coalesce(s.max_days, 36500) * interval '24 hours'
        end as key
      ) as k
      where (v_stages is null or f.stage = any (v_stages))
        and case v_sort
              when 'id' then f.id > coalesce(v_id, after, -9223372036854775808)
              else v_key is null or (k.key, f.id) > (v_key, v_id)
            end
      order by k.key, f.id
      limit page_size + 1
    ) as found;
  elsif v_sort <> 'id' then
    -- within a stage the longest there is also the nearest to its SLA, so each stage gives its oldest by index
    select array_agg(found.id order by found.key, found.id)
    into v_ids
    from (
      select c.id, c.stage_entered_at + s.limit_of as key
      from (
        select
          p.stage,
          p.flags,
          case v_sort when 'sla' then coalesce(p.max_days, 36500) else 0 end * interval '24 hours' as limit_of
        from rules.list_parts(v_stages, v_of_set) p
      ) as s
      cross join lateral (
        select f.id, f.stage_entered_at
        from rules.filtered_clients(
          v_else_flag, v_owner, unowned, v_before, stuck, v_attention, v_tier, active, v_words, v_common, v_among
        ) f
        where f.stage = s.stage
          and (v_of_set is null or (f.flags = s.flags and f.flags <> '{}'))
          and (v_search is null or v_words is not null)
          and (v_key is null or (f.stage_entered_at, f.id) > (v_key - s.limit_of, v_id))
        order by f.stage_entered_at, f.id
        limit page_size + 1
      ) as c
      order by 2, c.id
      limit page_size + 1
    ) as found;
  elsif v_stages is not null or v_of_set is not null then
    v_ids := array(
      select c.id
      from rules.list_parts(v_stages, v_of_set) s
      cross join lateral (
        select f.id
        from rules.filtered_clients(
          v_else_flag, v_owner, unowned, v_before, stuck, v_attention, v_tier, active, v_words, v_common, v_among
        ) f
        where f.stage = s.stage
          and (v_of_set is null or (f.flags = s.flags and f.flags <> '{}'))
          and (v_search is null or v_words is not null)
          -- the first page says nothing of ids: a bound beside the stage makes an owner's index of stages look dear
          and (coalesce(v_id, after) is null or f.id > coalesce(v_id, after))
        order by f.id
        limit page_size + 1
      ) as c
      order by c.id
      limit page_size + 1
    );
  elsif active and coalesce(
    v_flag, v_owner, v_tier, v_search, v_attention, unowned::text, stuck::text, v_before::text, client_ids::text
  ) is null then
    v_ids := rules.next_clients(coalesce(v_id, after), true, page_size + 1);
  else
    v_ids := array(
      select f.id
      from rules.filtered_clients(
        v_else_flag, v_owner, unowned, v_before, stuck, v_attention, v_tier, active, v_words, v_common, v_among
      ) f
      where f.id > coalesce(v_id, after, -9223372036854775808)
        and (v_search is null or v_words is not null)
      order by f.id
      limit page_size + 1
    );
  end if;

  if cardinality(v_ids) > page_size then
    v_cursor := rules.list_cursor(v_ids[page_size], v_sort);
  end if;
  return json_build_object(
    'clients', rules.clients_json(v_ids[:page_size]),
    'next_after', case when v_sort = 'id' and cardinality(v_ids) > page_size then v_ids[page_size] end,
    'next_cursor', v_cursor
  );
end
$$;

comment on function api.clients(
  text, text, text, integer, boolean, text, boolean, text, bigint, integer, text, boolean, bigint[], text, text
) is
'The clients, filtered; filters add up, and an empty one is none.
stage: one, or several with commas between them. flag, owner, service_tier: equal to. unowned: has no owner, or has one.
age_days_gt: more whole days in the stage than this. stuck: carries the flag, or does not. attention: stuck, waiting_on_client or none.
active: true (default), false, or null for both. search: the beginnings of words in name and slug. client_ids: of these only.
sort: id (default), age (longest in its stage first) or sla (nearest to its limit, or furthest beyond it, first).
cursor: next_cursor of the page before; with sort id, after does too: the last id of the page before. page_size: 1 to 1,000. Any actor may read.
Answers {clients, next_after, next_cursor}; both are null on the last page, next_after also where the sort is not id.
Errors: unknown_stage, unknown_flag, unknown_value, cursor_not_valid, page_size_not_valid (422).';

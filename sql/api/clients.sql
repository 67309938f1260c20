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
-- an index finds each page, however few rows the planner expects
set random_page_cost = 1.1
set enable_seqscan = off
-- before PostgreSQL 18 a disabled scan adds a cost that starts the JIT compiler, which takes seconds
set jit = off
-- rules.find_clients plans its query for the filters of the call; everything else keeps its plan
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_variable
declare
  v_actor  constant text := rules.current_actor();
  v_sort   constant text := coalesce(nullif(sort, ''), 'id');
  v_place  text[];
  v_filter rules.client_filter;
  v_found  record;
  v_page   bigint[];
  v_shown  json;
begin
  -- GUARD: in small steps, because a request pays for each filter that is looked at
  page_size := rules.checked_page_size(page_size);
  perform rules.require_word('sort', v_sort, '{id,age,sla}');
  if stage <> '' then
    perform rules.require_short('stage', stage);
    v_filter.stages := string_to_array(stage, ',');
    for i in 1 .. cardinality(v_filter.stages) loop
      perform rules.refuse_all(rules.unknown_stage(v_filter.stages[i]));
    end loop;
  end if;
  if flag <> '' then
    perform rules.refuse_all(rules.unknown_flag(flag));
    v_filter.flag := flag;
  end if;
  if owner <> '' then
    perform rules.require_short('owner', owner);
    v_filter.owner := owner;
  end if;
  if service_tier <> '' then
    perform rules.require_word('service_tier', service_tier, rules.known_words('clients_service_tier_check'));
    v_filter.service_tier := service_tier;
  end if;
  if attention <> '' then
    perform rules.require_word('attention', attention, '{stuck,late,waiting_on_client,none}');
    v_filter.attention := attention;
  end if;
  if age_days_gt is not null then
    v_filter.entered_by := now() - make_interval(hours => 24 * (1 + least(greatest(age_days_gt, -36500), 36500)));
  end if;
  if search <> '' then
    v_filter.search := search;
  end if;
  if client_ids is not null then
    if cardinality(client_ids) > 1000 then
      perform rules.refuse('client_ids_not_valid', jsonb_build_object(
        'length', cardinality(client_ids), 'max_length', 1000
      ));
    end if;
    v_filter.ids := client_ids;
  end if;
  v_filter.unowned := unowned;
  v_filter.stuck := stuck;
  v_filter.active := active;
  v_filter.sort := v_sort;
  v_filter.after_id := after;
  if cursor <> '' then
    v_place := regexp_match(left(cursor, 40), '^(-?[0-9]{1,17})[.](-?[0-9]{1,18})$');
    v_filter.after_key := timestamptz 'epoch' + v_place[1]::bigint * interval '1 microsecond';
    v_filter.after_id := v_place[2]::bigint;
  end if;
  if (v_place is null and cursor <> '') or (v_sort <> 'id' and after is not null) then
    perform rules.refuse('cursor_not_valid');
  end if;

  -- ACT: one row more shows whether another page follows
  v_found := rules.find_clients(v_filter, page_size + 1);
  v_page := v_found.ids[:page_size];
  if v_sort = 'id' then
    -- an index has this order: sorting whole rows took a tenth of the call
    select json_agg(page.client) into v_shown
    from (select shown.client from rules.shown_clients(v_page) shown order by shown.id) page;
  else
    select json_agg(shown.client order by n.nth) into v_shown
    from unnest(v_page) with ordinality as n (id, nth)
    join rules.shown_clients(v_page) shown on shown.id = n.id;
  end if;

  return json_build_object(
    'clients', coalesce(v_shown, '[]'),
    'similar', case when v_filter.search is not null and v_found.ids is null then rules.similar_clients(v_filter.search) end,
    'searched', case when v_filter.search is not null then rules.how_searched() end,
    'next_after', case when v_sort = 'id' and cardinality(v_found.ids) > page_size then v_found.ids[page_size] end,
    'next_cursor', case
      when cardinality(v_found.ids) > page_size
        then round(extract(epoch from coalesce(v_found.keys[page_size], 'epoch')) * 1000000)::bigint || '.' || v_found.ids[page_size]
    end
  );
end
$$;

comment on function api.clients(
  text, text, text, integer, boolean, text, boolean, text, bigint, integer, text, boolean, bigint[], text, text
) is
'List clients that match all given filters.
Any actor can read. An empty filter doesn''t restrict.
stage: one stage, or several separated by commas; at most 200 characters. flag, owner (at most 200 characters), service_tier: only clients with this value.
unowned: true lists clients without an owner, false those with one. age_days_gt: more whole days than this in the stage.
stuck: true lists clients with the flag, false those without it. attention: stuck, late, waiting_on_client or none.
active: true (default), false, or null for both. search: words in name and slug, whatever their accents, capitals and punctuation; the first 200 characters count.
client_ids: at most 1,000 ids; only these clients.
sort: id (default), age (longest in its stage first) or sla (nearest to the limit of its stage, or furthest over it, first).
cursor: next_cursor of the page before. after: with sort id, the last id of the page before. page_size: 1 to 1,000.
Returns {clients, next_after, next_cursor, similar, searched}; next_after and next_cursor are null on the last page, and next_after also unless the
sort is id. Of a search: similar lists up to three clients (id, name) if none was found; searched is parts (any part of a word),
beginnings_first (of more than 2,000 clients: the beginnings of words; other parts if no word begins so) or beginnings (of more than 10,000).
Errors: text_too_long, unknown_stage, unknown_flag, unknown_value, client_ids_not_valid, cursor_not_valid, page_size_not_valid (422).';

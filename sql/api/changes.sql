create or replace function api.changes(
  after     text default null,
  actor_id  text default null,
  client_id bigint default null,
  stage     text default null,
  since     timestamptz default null,
  page_size integer default 100
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
  v_caller   text := rules.current_actor();
  v_actor    text := nullif(actor_id, '');
  v_stage    text := nullif(stage, '');
  -- which index of history is asked: one that has few rows of what is wanted
  v_by       text := case
    when client_id is not null then 'client'
    when v_actor is not null then 'actor'
    when v_stage is not null then 'stage'
    else 'place'
  end;
  v_place    text[];
  v_epoch    integer;
  v_xid      xid8;
  v_id       bigint;
  -- only what is decided: a transaction that is still at work has an id from here on, or none yet
  v_horizon  xid8 := pg_snapshot_xmin(pg_current_snapshot());
  v_newest   integer := (select max(e.epoch) from public.feed_epochs e);
  v_any_late boolean := exists (select from public.feed_epochs e where e.late_from_id is not null);
  v_rows     json[];
  v_cursors  text[];
begin
  -- GUARD
  perform rules.require_page_size(page_size);
  if v_stage is not null then
    perform rules.refuse_all(rules.unknown_stage(v_stage));
  end if;
  if not rules.feed_is_in_order() then
    perform rules.refuse('feed_not_in_order');
  end if;
  v_place := regexp_match(nullif(after, ''), '^([0-9]{1,9})[.]([0-9]{1,18})[.]([0-9]{1,19})$');
  if nullif(after, '') is not null then
    if v_place is null
      or v_place[3]::numeric > 9223372036854775807
      or (v_place[1]::integer, v_place[2]::xid8) >= (v_newest, pg_snapshot_xmax(pg_current_snapshot()))
    then
      perform rules.refuse('cursor_not_valid');
    end if;
    v_epoch := v_place[1]::integer;
    v_xid := v_place[2]::xid8;
    v_id := v_place[3]::bigint;
  elsif since is not null then
    select s.epoch, s.xid, s.id into v_epoch, v_xid, v_id from rules.feed_start(since) s;
  else
    v_epoch := 0;
    v_xid := xid8 '0';
    v_id := 0;
  end if;

  -- ACT: one row more tells whether another page follows
  select
    array_agg(row_to_json(page.*) order by page.nth),
    array_agg(page.cursor order by page.nth)
  into v_rows, v_cursors
  from (
    select
      h.*,
      c.name as client_name,
      c.slug as client_slug,
      placed.cursor,
      placed.nth
    from (
      select
        feed.id,
        rules.feed_cursor(feed.epoch, feed.xid, feed.id) as cursor,
        row_number() over (order by feed.epoch, feed.xid, feed.id) as nth
      from (
        -- each part in order and no longer than a page, so that an index gives it
        (
          select h.epoch, h.xid, h.id
          from public.stage_history h
          where (v_actor is null or h.actor_id = v_actor)
            and (client_id is null or h.client_id = client_id)
            and (v_stage is null or h.to_stage = v_stage)
            -- The planner takes any stretch of the feed for a short one. So the stretch is compared together with what
            -- is asked for: then no index can give it but that of the client, the actor or the stage.
            and (
              v_by <> 'client'
              or (h.client_id, h.epoch, h.xid, h.id) > (client_id, v_epoch, v_xid, v_id)
              and (h.client_id, h.epoch, h.xid) < (client_id, v_newest, v_horizon)
            )
            and (
              v_by <> 'actor'
              or (h.actor_id, h.epoch, h.xid, h.id) > (v_actor, v_epoch, v_xid, v_id)
              and (h.actor_id, h.epoch, h.xid) < (v_actor, v_newest, v_horizon)
            )
            and (
              v_by <> 'stage'
              or (h.to_stage, h.epoch, h.xid, h.id) > (v_stage, v_epoch, v_xid, v_id)
              and (h.to_stage, h.epoch, h.xid) < (v_stage, v_newest, v_horizon)
            )
            and (
              v_by <> 'place'
              or (h.epoch, h.xid, h.id) > (v_epoch, v_xid, v_id)
              and (h.epoch, h.xid) < (v_newest, v_horizon)
            )
            and (since is null or h.occurred_at >= since)
            and (
              not v_any_late
              or not exists (
                select
                from public.feed_epochs e
                where e.epoch = h.epoch + 1
                  and h.id between e.late_from_id and e.late_to_id
              )
            )
          order by h.epoch, h.xid, h.id
          limit page_size + 1
        )
        union all
        -- what this server wrote before its epoch was begun
        (
          select e.epoch, h.xid, h.id
          from public.feed_epochs e
          join public.stage_history h on h.id between e.late_from_id and e.late_to_id and h.epoch = e.epoch - 1
          where v_any_late
            and (e.epoch, h.xid, h.id) > (v_epoch, v_xid, v_id)
            and (e.epoch, h.xid) < (v_newest, v_horizon)
            and (v_actor is null or h.actor_id = v_actor)
            and (client_id is null or h.client_id = client_id)
            and (v_stage is null or h.to_stage = v_stage)
            and (since is null or h.occurred_at >= since)
          order by e.epoch, h.xid, h.id
          limit page_size + 1
        )
      ) as feed
      order by feed.epoch, feed.xid, feed.id
      limit page_size + 1
    ) as placed
    join rules.shown_history h on h.id = placed.id
    join public.clients c on c.id = h.client_id
  ) as page;

  return json_build_object(
    'changes', coalesce(array_to_json(v_rows[:page_size]), '[]'),
    'cursor', coalesce(
      v_cursors[least(page_size, cardinality(v_cursors))], rules.feed_cursor(v_epoch, v_xid, v_id)
    ),
    'more', coalesce(cardinality(v_cursors) > page_size, false)
  );
end
$$;

comment on function api.changes(text, text, bigint, text, timestamptz, integer) is
'Every change of every client, each once: the firm''s history as a feed.
after: the cursor of the answer before; the beginning when left out. actor_id: made by. client_id: of one client. stage: moves into it.
since: made in a transaction that began at this time or later. page_size: 1 to 1,000. Any actor may read.
Answers {changes, cursor, more}: history rows with client_name and client_slug, in an order in which nothing is ever put in before a
cursor, however late it was committed; cursor, which is there when nothing came, for the next call; more: whether another page waits.
A change shows when every transaction that began to write before it has ended. LISTEN atlas_changes wakes who waits at a database.
Errors: cursor_not_valid, unknown_stage, page_size_not_valid (422); feed_not_in_order (503).';

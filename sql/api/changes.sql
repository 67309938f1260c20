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
-- an index finds each page, however few rows the planner expects
set random_page_cost = 1.1
set enable_seqscan = off
-- before PostgreSQL 18 a disabled scan adds a cost that starts the JIT compiler, which takes seconds
set jit = off
-- rules.find_changes plans its query for the filters of the call; everything else keeps its plan
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_variable
declare
  v_actor constant text := rules.current_actor();
  v_place   record;
  v_epoch   integer := 0;
  v_xid     xid8 := xid8 '0';
  v_id      bigint := 0;
  v_ids     bigint[];
  v_cursors text[];
  v_more    boolean;
begin
  -- GUARD
  page_size := rules.checked_page_size(page_size);
  perform rules.require_short('actor_id', actor_id);
  if stage <> '' then
    perform rules.refuse_all(rules.unknown_stage(stage));
  end if;
  if not rules.feed_is_in_order() then
    perform rules.refuse('feed_not_in_order');
  end if;
  v_place := rules.feed_place(after);
  if v_place.id is not null then
    if (v_place.epoch, v_place.xid)
      >= ((select max(e.epoch) from public.feed_epochs e), pg_snapshot_xmax(pg_current_snapshot()))
    then
      perform rules.refuse('cursor_not_valid');
    end if;
    v_epoch := v_place.epoch;
    v_xid := v_place.xid;
    v_id := v_place.id;
  elsif since is not null then
    -- a day earlier, because the server's clock may have been set back meanwhile
    select s.epoch, s.xid, s.id into v_epoch, v_xid, v_id from rules.feed_start(
      greatest(since, '2000-01-01 00:00Z') - interval '1 day'
    ) s;
  end if;

  -- ACT: one row more shows whether another page follows
  select f.ids, f.cursors
  into v_ids, v_cursors
  from rules.find_changes(
    nullif(actor_id, ''), client_id, nullif(stage, ''), since, v_epoch, v_xid, v_id, page_size + 1
  ) f;
  v_more := coalesce(cardinality(v_ids) > page_size, false);

  return json_build_object(
    'changes', (
      select coalesce(json_agg(row_to_json(page.*) order by n.nth), '[]')
      from unnest(v_ids[:page_size], v_cursors) with ordinality as n (id, cursor, nth)
      join rules.shown_history h on h.id = n.id
      join public.clients c on c.id = h.client_id
      cross join lateral (
        select
          h.*, c.name as client_name, c.slug as client_slug,
          rules.kind_of(
            h.from_stage, h.to_stage, h.from_returning_to, h.trigger_type = 'rollback', h.flag_added, h.flag_removed
          ) as kind,
          n.cursor
      ) page
    ),
    'cursor', coalesce(
      v_cursors[least(page_size, cardinality(v_ids))], rules.feed_cursor(v_epoch, v_xid, v_id)
    ),
    'more', v_more,
    'behind_since', case when not v_more then rules.feed_behind() end
  );
end
$$;

comment on function api.changes(text, text, bigint, text, timestamptz, integer) is
'List every change of every client exactly once: the firm''s history as a feed.
Any actor can read. after: the cursor of the previous answer; from the beginning if omitted. actor_id: made by this actor.
client_id: of this client. stage: moves into this stage. since: made in a transaction that began at this time or later. page_size: 1 to 1,000.
Returns {changes, cursor, more, behind_since}: history rows with client_name, client_slug and kind, in an order in which no later commit appears before the cursor;
the cursor for the next call, also if there are no changes; whether another page follows; and since when committed changes
are missing from the feed because an older transaction is open (null: none is missing).
kind: sign_off_wanted (a move that hands a close to its reviewers), sent_back, signed_off, moved, stuck, flagged, unflagged or changed.
A change appears when every transaction that began to write before it has ended. Readers in a database session can wait with LISTEN atlas_changes.
Errors: text_too_long, unknown_stage, cursor_not_valid, page_size_not_valid (422); feed_not_in_order (503).';

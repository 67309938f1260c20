create or replace function api.activity(
  actor_id  text default null,
  client_id bigint default null,
  day       date default null,
  before    text default null,
  page_size integer default 50
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
-- rules.find_activity plans its query for the filters of the call; everything else keeps its plan
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_variable
declare
  v_actor   constant text := rules.current_actor();
  v_place   record;
  v_from    record;
  v_to      record;
  v_ids     bigint[];
  v_cursors text[];
begin
  -- GUARD
  page_size := rules.checked_page_size(page_size);
  perform rules.require_short('actor_id', actor_id);
  if day not between '2000-01-01' and '2200-01-01' then
    perform rules.refuse('moment_not_valid', jsonb_build_object('moment', day));
  end if;
  v_place := rules.feed_place(before);

  -- ACT: a row is written within a day after its transaction began
  select 0 as epoch, xid8 '0' as xid, 0::bigint as id into v_from;
  select 999999999 as epoch, xid8 '0' as xid, 0::bigint as id into v_to;
  if day is not null then
    select s.epoch, s.xid, s.id into v_from from rules.feed_start(rules.firm_instant(day)) s;
  end if;
  if v_place.id is not null then
    v_to := v_place;
  elsif rules.firm_instant(day + 2) < now() then
    select s.epoch, s.xid, s.id into v_to from rules.feed_start(rules.firm_instant(day + 2)) s;
    v_to.xid := (v_to.xid::text::bigint + 1)::text::xid8;
    v_to.id := 0;
  end if;
  select f.ids, f.cursors
  into v_ids, v_cursors
  from rules.find_activity(
    nullif(actor_id, ''), client_id, day, v_from.epoch, v_from.xid, v_from.id, v_to.epoch, v_to.xid, v_to.id,
    page_size + 1
  ) f;

  return json_build_object(
    'activity', (
      select coalesce(json_agg(row_to_json(page.*) order by n.nth), '[]')
      from unnest(v_ids[:page_size]) with ordinality as n (id, nth)
      join public.stage_history stored on stored.id = n.id
      join rules.shown_history h on h.id = n.id
      join public.clients c on c.id = h.client_id
      cross join lateral (select exists (select from rules.rollback_of(h.id)) as is_rolled_back) b
      cross join lateral (
        select
          h.*, c.name as client_name, c.slug as client_slug,
          rules.kind_of(
            h.from_stage, h.to_stage, h.from_returning_to, h.trigger_type = 'rollback', h.flag_added, h.flag_removed
          ) as kind,
          b.is_rolled_back,
          rules.is_reversible(stored.*) and not b.is_rolled_back as is_reversible,
          case
            when rules.undo_violations(v_actor, array[h.id]) is null
              and rules.reversal_violations(rules.state_of(c.*), stored.*) is null
              then rules.undo_until(h.occurred_at)
          end as undo_until
      ) page
    ),
    'next_before', case when cardinality(v_ids) > page_size then v_cursors[page_size] end
  );
end
$$;

comment on function api.activity(text, bigint, date, text, integer) is
'List the changes of all clients, newest first.
Any actor can read. actor_id: made by this actor. client_id: of this client. day: made on this day in the firm''s time zone.
before: next_before of the page before. page_size: 1 to 1,000.
Returns {activity, next_before}: history rows with client_name, client_slug, kind (as in changes), is_rolled_back, is_reversible and
undo_until; next_before is null on the last page. is_reversible: rollback takes it, unless a later change depends on it. undo_until: until
when the caller can undo the change; null: not at all.
For every change exactly once, use the function changes.
Errors: text_too_long, moment_not_valid, cursor_not_valid, page_size_not_valid (422).';

create or replace function api.queue(
  actor_id  text default null,
  page_size integer default 100,
  after     text default null
)
returns api."application/json"
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
-- what a page has, an index finds, however few rows the planner thinks there are
set random_page_cost = 1.1
set enable_seqscan = off
-- before PostgreSQL 18 what is switched off has a price, and a dear query is compiled first, for seconds
set jit = off
-- one plan serves every actor, and to plan takes twice as long as to look
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_variable
declare
  v_caller  text := rules.current_actor();
  v_actor   text := coalesce(nullif(actor_id, ''), v_caller);
  -- the last item's rank, limit (microseconds, or nothing) and id, and how many items came with it and before
  v_place   text[] := regexp_match(nullif(after, ''), '^([012])[.]([0-9]{1,17})?[.]([0-9]{1,18})[.]([0-9]{1,8})$');
  v_due     timestamptz := timestamptz 'epoch' + v_place[2]::bigint * interval '1 microsecond';
  v_before  integer := coalesce(v_place[4]::integer, 0);
  v_items   json[];
  v_cursors text[];
begin
  -- GUARD
  if actor_id = '' then
    perform rules.require_actor_id(actor_id);
  end if;
  perform rules.require_actor_id(v_actor);
  perform rules.require_page_size(page_size);
  if nullif(after, '') is not null and v_place is null then
    perform rules.refuse('cursor_not_valid');
  end if;

  -- ACT: one more tells whether another page follows
  select
    array_agg(
      json_build_object('client', shown.client, 'why', page.why, 'sla_due_at', page.sla_due_at)
      order by page.nth
    ),
    array_agg(
      concat_ws(
        '.', page.rank, coalesce(round(extract(epoch from page.sla_due_at) * 1000000)::bigint::text, ''), page.client_id,
        v_before + page.nth
      )
      order by page.nth
    )
  into v_items, v_cursors
  from (
    select
      q.client_id,
      q.why,
      q.rank,
      q.sla_due_at,
      row_number() over (order by q.rank, q.sla_due_at nulls last, q.client_id) as nth
    from rules.queue_of(v_actor, v_before + page_size + 1) q
    where v_place is null
      or (q.rank, coalesce(q.sla_due_at, 'infinity'), q.client_id)
        > (v_place[1]::integer, coalesce(v_due, 'infinity'), v_place[3]::bigint)
    order by nth
    limit page_size + 1
  ) as page
  cross join lateral rules.shown_clients(array[page.client_id]) shown;

  return json_build_object(
    'actor_id', v_actor,
    'queue', coalesce(array_to_json(v_items[:page_size]), '[]'),
    'next_after', case when cardinality(v_items) > page_size then v_cursors[page_size] end
  );
end
$$;

comment on function api.queue(text, integer, text) is
'What an actor should do next.
actor_id: whose queue; the caller''s when left out. page_size: 1 to 1,000. after: next_after of the page before. Any actor may read.
Answers {actor_id, queue, next_after}: each item with client, why (owner, collaborator, review, in_scope) and sla_due_at (null: no limit);
next_after is null on the last page. in_scope: an agent''s grants that are narrowed to stages, clients or tiers cover it.
Stuck clients first, then the nearest to their SLA, those that wait on the client last.
Errors: actor_id_not_valid, cursor_not_valid, page_size_not_valid (422).';

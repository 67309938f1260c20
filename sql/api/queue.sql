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
-- an index finds each page, however few rows the planner expects
set random_page_cost = 1.1
set enable_seqscan = off
-- before PostgreSQL 18 a disabled scan adds a cost that starts the JIT compiler, which takes seconds
set jit = off
-- one plan serves every actor; planning takes twice as long as the query
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_variable
declare
  v_caller  constant text := rules.current_actor();
  v_actor   constant text := coalesce(actor_id, v_caller);
  -- the last item's rank, key (microseconds) and client
  v_place   constant text[] := regexp_match(left(after, 50), '^([012])[.](-?[0-9]{1,17})[.](-?[0-9]{1,19})$');
  v_page    record;
begin
  -- GUARD
  perform rules.require_actor_id(v_actor);
  page_size := rules.checked_page_size(page_size);
  if (v_place is null and after <> '') or v_place[3]::numeric not between -9223372036854775808 and 9223372036854775807 then
    perform rules.refuse('cursor_not_valid');
  end if;

  -- ACT: one more item shows whether another page follows
  select
    array_agg(q.client_id) as ids,
    array_agg(to_json(q.why)) as whys,
    array_agg(q.sla_due_at) as dues,
    array_agg(q.rank) as ranks,
    array_agg(q.key) as keys
  into v_page
  from (
    select q.*
    from rules.queue_of(
      v_actor,
      page_size + 1,
      v_place[1]::integer,
      timestamptz 'epoch' + v_place[2]::bigint * interval '1 microsecond',
      v_place[3]::bigint
    ) q
    order by q.rank, q.key, q.client_id
    limit page_size + 1
  ) as q;

  return json_build_object(
    'actor_id', v_actor,
    'queue', (
      select coalesce(json_agg(
        json_build_object('client', shown.client, 'why', n.why, 'sla_due_at', n.due)
        order by n.nth
      ), '[]')
      from unnest(v_page.ids[:page_size], v_page.whys, v_page.dues) with ordinality as n (id, why, due, nth)
      join rules.shown_clients(v_page.ids[:page_size]) shown on shown.id = n.id
    ),
    'next_after', case
      when cardinality(v_page.ids) > page_size
        then concat_ws(
          '.',
          v_page.ranks[page_size],
          round(extract(epoch from v_page.keys[page_size]) * 1000000)::bigint,
          v_page.ids[page_size]
        )
    end
  );
end
$$;

comment on function api.queue(text, integer, text) is
'List what an actor should do next.
Any actor can read. actor_id: whose queue; the caller''s if omitted. page_size: 1 to 1,000. after: next_after of the page before.
Returns {actor_id, queue, next_after}. Each item has client, why (any of owner, collaborator, review, in_scope) and sla_due_at (null: no limit).
review: the actor can sign it off. in_scope: an agent''s grant that is limited to stages, clients or tiers covers it.
next_after is null on the last page.
Order: stuck clients first, then by the time left until the SLA, then clients that wait on the client.
Errors: actor_id_not_valid, cursor_not_valid, page_size_not_valid (422).';

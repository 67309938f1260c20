create or replace function api.closes(
  month     text default null,
  state     text default null,
  owner     text default null,
  after     bigint default null,
  page_size integer default 100
)
returns api."application/json"
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
-- each call is planned for its filters
set plan_cache_mode = force_custom_plan
-- an index finds each page, however few rows the planner expects
set random_page_cost = 1.1
set enable_seqscan = off
-- before PostgreSQL 18 a disabled scan adds a cost that starts the JIT compiler, which takes seconds
set jit = off
as $$
#variable_conflict use_variable
declare
  v_actor constant text := rules.current_actor();
  v_state  constant text := nullif(state, '');
  v_owner  constant text := nullif(owner, '');
  v_month  text;
  v_due_at timestamptz;
  v_opened bigint[];  -- the clients with a close of the month
  v_closes json[];
begin
  -- GUARD
  v_month := rules.require_month(month);
  page_size := rules.checked_page_size(page_size);
  perform rules.require_short('owner', owner);
  perform rules.require_word('state', v_state, '{not_opened,open,in_review,paused,closed}');
  v_due_at := rules.due_at(to_date(v_month, 'YYYY-MM'));

  -- ACT: if many closes were opened, reading the clients in order fills a page sooner
  if v_state <> 'not_opened' then
    v_opened := array(
      select distinct h.client_id
      from public.stage_history h
      where h.close_period = v_month and h.client_id > coalesce(after, -9223372036854775808)
      limit 10001
    );
    if cardinality(v_opened) > 10000 then
      v_opened := null;
    end if;
  end if;

  -- in order of client id until the page is full; one row more shows whether another page follows
  v_closes := array(
    select row_to_json(found.*)
    from (
      select m.*
      from rules.month_closes(v_month, v_due_at) m
      where m.client_id > coalesce(after, -9223372036854775808)
        and (v_owner is null or m.stage_owner = v_owner)
        and (v_state is null or m.state = v_state)
        and (v_opened is null or m.client_id = any (v_opened))
      order by m.client_id
      limit page_size + 1
    ) as found
  );

  return json_build_object(
    'month', v_month,
    'due_at', v_due_at,
    'closes', array_to_json(v_closes[:page_size]),
    'next_after', case when cardinality(v_closes) > page_size then v_closes[page_size] -> 'client_id' end
  );
end
$$;

comment on function api.closes(text, text, text, bigint, integer) is
'List the closes of a month, client by client.
Any actor can read. month: YYYY-MM; the newest month that was rolled if omitted. state: not_opened, open, in_review, paused or closed.
owner: only closes of this owner''s clients; at most 200 characters. after: the last client id of the page before. page_size: 1 to 1,000.
Returns {month, due_at, closes, next_after} in order of client id: each client that owes the month (owed: active, its cadence has the month, and
it was added before the close was due), and each client that has a close of it, with client_id, name, slug, stage_owner, stage; the state;
when and by whom the close was opened, reviewed (handed to review), sent_back (how many times, and the last) and signed_off; reopened (how many
times); signed_off_through (the agent that signed off for that person); rolled_back_by (the person that rolled its opening back, so that the roll leaves it alone); business_days from the day after its opening to its sign-off or
now; late and late_since (due_at): not signed off by the end of the business day of the next month that the settings give (close_due_day).
Errors: month_not_valid, unknown_value, text_too_long, page_size_not_valid (422).';

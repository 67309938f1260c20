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
  v_state    constant text := nullif(state, '');
  v_owner    constant text := nullif(owner, '');
  v_month    text;
  v_begin    timestamptz;
  v_deadline timestamptz;
  v_opened   bigint[];  -- the clients whose close may have been opened
  v_closes   json[];
begin
  -- GUARD
  perform rules.require_actor();
  v_month := rules.require_month(month);
  perform rules.require_page_size(page_size);
  perform rules.require_short('owner', owner);
  perform rules.require_word('state', v_state, '{not_opened,open,in_review,closed}');
  v_deadline := rules.close_deadline(v_month);

  -- ACT: any state but not_opened requires an opening. If there are many, reading the clients in order fills a page
  -- sooner.
  if v_state <> 'not_opened' then
    -- an opening without a month is from this month or the next
    v_begin := rules.firm_instant(to_date(v_month, 'YYYY-MM'));
    v_opened := array(
      select h.client_id
      from unnest(array[v_month, '']) as named (period)
      cross join lateral (
        select h.client_id
        from public.stage_history h
        where coalesce(h.payload ->> 'period', '') = named.period
          and h.occurred_at >= case when named.period = '' then v_begin else '-infinity' end
          and h.occurred_at < case when named.period = '' then v_begin + interval '62 days' else 'infinity' end
          and h.client_id > coalesce(after, -9223372036854775808)
          and h.to_stage = 'eom_close'
          and rules.opens_close(h.from_stage, h.from_returning_to, h.trigger_type)
        limit 10001
      ) as h
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
      from rules.month_closes(v_month, v_deadline) m
      where m.client_id > coalesce(after, -9223372036854775808)
        and (v_opened is null or m.client_id = any (v_opened))
        and (v_owner is null or m.stage_owner = v_owner)
        and (v_state is null or m.state = v_state)
      order by m.client_id
      limit page_size + 1
    ) as found
  );

  return json_build_object(
    'month', v_month,
    'due_at', v_deadline,
    'closes', array_to_json(v_closes[:page_size]),
    'next_after', case when cardinality(v_closes) > page_size then v_closes[page_size] -> 'client_id' end
  );
end
$$;

comment on function api.closes(text, text, text, bigint, integer) is
'List the closes of a month, client by client.
Any actor can read. month: YYYY-MM; the month that is being closed now if omitted. state: not_opened, open, in_review or closed.
owner: equal to; at most 200 characters. after: the last client id of the page before. page_size: 1 to 1,000.
Returns {month, due_at, closes, next_after} in order of client id: each active client whose cadence has a close in that month, and each client
whose close of it was opened, with client_id, name, slug, stage_owner, stage; the state; when and by whom the close was opened, reviewed
(handed to review), sent_back (how many times, and the last) and signed_off; business_days from the day after its opening to its sign-off
or now; late and late_since: not closed by the end of the next month''s last business day (due_at), or over the SLA of its stage.
Errors: month_not_valid, unknown_value, text_too_long, page_size_not_valid (422).';

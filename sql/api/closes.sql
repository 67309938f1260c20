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
  v_actor    text := rules.current_actor();
  v_month    text := rules.require_month(month);
  v_state    text := nullif(state, '');
  v_owner    text := nullif(owner, '');
  -- an opening that names no month was made in this one or in the next
  v_begin    timestamptz := rules.firm_instant(to_date(v_month, 'YYYY-MM'));
  v_deadline timestamptz := rules.close_deadline(v_month);
  v_opened   bigint[];  -- whose close may have been opened
  v_closes   json[];
begin
  -- GUARD
  perform rules.require_page_size(page_size);
  if v_state not in ('not_opened', 'open', 'in_review', 'closed') then
    perform rules.refuse('unknown_value', jsonb_build_object(
      'field', 'state', 'known', array['not_opened', 'open', 'in_review', 'closed']
    ));
  end if;

  -- ACT: a state other than not_opened only those have whose close was opened. Where they are many, a page of them is
  -- found sooner by looking through the clients in their order.
  if v_state <> 'not_opened' then
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

  -- client by client in order of id, until the page is full; one more tells whether another page follows
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
'How a month''s close stands, client by client.
month: YYYY-MM; the month that is being closed now when left out. state: not_opened, open, in_review or closed. owner: equal to.
after: the last client''s id of the page before. page_size: 1 to 1,000. Any actor may read.
Answers {month, due_at, closes, next_after} in order of client id: each active client whose cadence closes in that month, and each whose
close of it was opened, with client_id, name, slug, stage_owner, stage; its state; when and by whom it was opened, reviewed (handed
to its review), sent_back (how many times, and the last), signed_off; business_days after the day of its opening, until it was
signed off or now; late and late_since: not closed by the end of the next month''s last business day (due_at), or over the SLA of its stage.
Errors: month_not_valid, unknown_value, page_size_not_valid (422).';

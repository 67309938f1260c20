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
      select
        c.id as client_id,
        c.name,
        c.slug,
        c.stage_owner,
        c.stage,
        close.state,
        close.opened_at,
        close.opened_by,
        close.reviewed_at,
        close.reviewed_by,
        close.sent_back,
        close.sent_back_at,
        close.sent_back_by,
        close.signed_off_at,
        close.signed_off_by,
        case
          when close.opened_at is not null then rules.business_days(
            rules.firm_time(close.opened_at)::date, rules.firm_time(coalesce(close.signed_off_at, now()))::date
          )
        end as business_days,
        late.since is not null as late,
        late.since as late_since
      from public.clients c
      cross join lateral rules.close_of(c.id, v_month) close
      left join public.stages s on s.stage = c.stage
      cross join lateral (
        select min(limit_of.at) as since
        from (values
          (v_deadline),
          (case
            when close.is_newest and close.state in ('open', 'in_review') and c.stage in ('eom_close', 'eom_review')
              then c.stage_entered_at + s.max_days * interval '24 hours'
          end)
        ) as limit_of (at)
        where limit_of.at < coalesce(close.signed_off_at, now())
      ) as late
      where c.id > coalesce(after, -9223372036854775808)
        and (v_opened is null or c.id = any (v_opened))
        and (v_owner is null or c.stage_owner = v_owner)
        and (v_state is null or close.state = v_state)
        and (
          close.state <> 'not_opened'
          or (
            c.active
            and rules.closes_in(c.close_cadence, right(v_month, 2)::integer)
            -- who came when the close was due already is not of it
            and exists (
              select
              from public.stage_history h
              where h.client_id = c.id
                and h.version = 0
                and h.occurred_at < v_deadline
            )
          )
        )
      order by c.id
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

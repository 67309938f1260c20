-- The ids of clients that may need this kind of attention: active and over the SLA, in a close that was due, or
-- flagged as stuck. Null if there are more than 10,000: then reading the clients in order fills a page sooner.
create or replace function rules.attention_candidates(attention text)  -- stuck, late, waiting_on_client or flagged
returns bigint[]
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_ids bigint[];
begin
  v_ids := array(
    select late.id
    from rules.stage_limits(now()) s
    cross join lateral (
      select c.id
      from public.clients c
      where attention = 'stuck'
        and c.stage = s.stage
        and c.stage_entered_at < s.over_before
        and c.active
      limit 10001
    ) as late
    union all
    select waiting.id
    from rules.stage_limits(now()) s
    cross join lateral rules.flag_sets(s.stage) carried
    cross join lateral (
      select c.id
      from public.clients c
      where c.stage = s.stage
        and c.flags = carried.flags
        and c.flags <> '{}'
        and c.stage_entered_at < s.over_before
        and c.active
      limit 10001
    ) as waiting
    where attention = 'waiting_on_client'
      and carried.flags && s.waiting_flags
    union all
    select due.id
    from (
      select c.id
      from public.clients c
      where attention in ('late', 'waiting_on_client')
        and c.close_period <= (select rules.late_period(now()))
        and c.active
      limit 10001
    ) as due
    union all
    select flagged.id
    from (
      select c.id
      from public.clients c
      where attention in ('stuck', 'flagged')
        and 'stuck' = any (c.flags)
      limit 10001
    ) as flagged
  );
  return case when cardinality(v_ids) <= 10000 then v_ids end;
end
$$;

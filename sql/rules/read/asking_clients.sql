-- Who may be asking for attention: active and over the limit of the stage, or flagged as stuck. Null where they are
-- more than 10,000, among whom a page is found sooner by looking through the clients.
create or replace function rules.asking_clients(asking text)  -- stuck, waiting_on_client, or flagged
returns bigint[]
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_ids bigint[];
begin
  v_ids := array(
    select over.id
    from public.stages s
    cross join lateral (
      select c.id
      from public.clients c
      where asking = 'stuck'
        and c.stage = s.stage
        and c.stage_entered_at < now() - s.max_days * interval '24 hours'
        and c.active
      limit 10001
    ) as over
    union all
    select waiting.id
    from public.stages s
    cross join lateral rules.flag_sets(s.stage) carried
    cross join lateral (
      select c.id
      from public.clients c
      where c.stage = s.stage
        and c.flags = carried.flags
        and c.flags <> '{}'
        and c.stage_entered_at < now() - s.max_days * interval '24 hours'
        and c.active
      limit 10001
    ) as waiting
    where asking = 'waiting_on_client'
      and carried.flags && s.waiting_flags
    union all
    select flagged.id
    from (
      select c.id
      from public.clients c
      where asking in ('stuck', 'flagged')
        and 'stuck' = any (c.flags)
      limit 10001
    ) as flagged
  );
  return case when cardinality(v_ids) <= 10000 then v_ids end;
end
$$;

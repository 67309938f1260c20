-- The clients that fit every filter that is not null. SQL, so that it becomes part of the query that asks: planned with
-- the filters at hand, those that are null are gone from it.
create or replace function rules.filtered_clients(
  flag           text,
  owner          text,
  unowned        boolean,
  entered_before timestamptz,
  stuck          boolean,
  attention      text,      -- stuck, waiting_on_client, or none
  service_tier   text,
  active         boolean,
  words          tsquery,
  common_words   tsquery,   -- such as nearly everybody has: no index is asked for these
  client_ids     bigint[]
)
returns table (
  id               bigint,
  stage            text,
  flags            text[],
  stage_entered_at timestamptz
)
language sql
stable
as $$
  select c.id, c.stage, c.flags, c.stage_entered_at
  from public.clients c
  where (filtered_clients.active is null or c.active = filtered_clients.active)
    -- most clients carry no flag, and are in no index of flags
    and (filtered_clients.flag is null or (c.flags <> '{}' and c.flags @> array[filtered_clients.flag]))
    and (filtered_clients.owner is null or c.stage_owner = filtered_clients.owner)
    and (filtered_clients.unowned is null or (c.stage_owner is null) = filtered_clients.unowned)
    and (filtered_clients.entered_before is null or c.stage_entered_at <= filtered_clients.entered_before)
    and (filtered_clients.stuck is not true or 'stuck' = any (c.flags))
    and (filtered_clients.stuck is not false or not c.flags @> '{stuck}')
    and (
      filtered_clients.attention is null
      or filtered_clients.attention = (
        select coalesce(rules.attention(c.flags, c.stage_entered_at, s.max_days, s.waiting_flags), 'none')
        from public.stages s
        where s.stage = c.stage
      )
    )
    and (filtered_clients.service_tier is null or c.service_tier = filtered_clients.service_tier)
    and (filtered_clients.words is null or to_tsvector('simple', c.name || ' ' || c.slug) @@ filtered_clients.words)
    -- the operator's own function, which no index answers
    and (
      filtered_clients.common_words is null
      or ts_match_vq(to_tsvector('simple', c.name || ' ' || c.slug), filtered_clients.common_words)
    )
    and (filtered_clients.client_ids is null or c.id = any (filtered_clients.client_ids))
$$;

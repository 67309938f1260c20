-- Where the histories of the clients with these ids differ from what was recorded, and where the
-- clients differ from what their histories make of them. One pass in the order of the index
-- (client_id, version), in constant memory.
create or replace function rules.history_breaks(
  from_client_id bigint,
  to_client_id   bigint
)
returns table (
  client_id  bigint,
  version    bigint,
  history_id bigint,
  problem    text,
  differs    text[]   -- client_altered: the columns of the client
)
language plpgsql
stable
set jit = off
as $$
#variable_conflict use_variable
begin
  return query
    with hashed as (
      select
        h.client_id, h.version, h.id, h.row_hash, h.words_hash,
        lag(h.version) over of_client as version_before,
        (h.reason, h.on_behalf_of, h.triggered_by, h.external_id, h.words_salt)
          is not distinct from (null, null, null, null, null)
          and h.payload = rules.history_facts(h.channel, h.payload) as has_no_words,
        rules.history_hash(h.*, case when h.version = 0 then '' else lag(h.row_hash) over of_client end) as expected,
        case
          -- a move of a close from before its month was kept
          when h.close_period is not null and h.batch is null
            and (rules.in_close(h.to_stage, null) or rules.in_close(h.from_stage, h.from_returning_to))
            then rules.history_hash(
            h.*, case when h.version = 0 then '' else lag(h.row_hash) over of_client end, has_period => false
          )
        end as expected_before
      from public.stage_history h
      where h.client_id between from_client_id and to_client_id
      window of_client as (partition by h.client_id order by h.version)
    ),
    looked_at as (
      select
        h.client_id, h.version, h.id,
        case
          when h.version <> coalesce(h.version_before, -1) + 1 then 'row_missing'
          when h.row_hash is null then 'hash_missing'
          when (h.row_hash <> h.expected and h.row_hash is distinct from h.expected_before) or (h.words_hash is not null and not h.has_no_words) then 'row_altered'
          when h.words_hash is not null and not exists (
            select from public.erasures e where e.client_id = h.client_id and e.last_version >= h.version
          ) then 'erasure_not_recorded'
        end as problem
      from hashed h
    ),
    ends as (
      select c.id, c.version, newest.version as recorded
      from public.clients c
      left join lateral (
        select h.version from public.stage_history h where h.client_id = c.id order by h.version desc limit 1
      ) as newest on true
      where c.id between from_client_id and to_client_id
    )
    select l.client_id, l.version, l.id, l.problem, '{}'::text[]
    from looked_at l
    where l.problem is not null
    union all
    select e.id, e.version, null, case when e.recorded > e.version then 'client_set_back' else 'row_missing' end, '{}'
    from ends e
    where e.version is distinct from e.recorded
    union all
    select l.client_id, max(l.version), null, 'client_missing', '{}'
    from looked_at l
    where not exists (select from public.clients c where c.id = l.client_id)
    group by l.client_id
    union all
    select d.client_id, d.version, null, 'client_altered', d.differs
    from rules.client_differences(from_client_id, to_client_id) d
    union all
    -- the one row that each deleted client had
    select d.client_id, h.version, h.id, problem.name, '{}'
    from public.deleted_clients d
    cross join lateral jsonb_populate_record(null::public.stage_history, d.history) as h
    cross join lateral (select case
      when h.row_hash is distinct from rules.history_hash(h.*, '') then 'row_altered'
      when h.words_hash is not null and not exists (
        select from public.erasures e where e.client_id = d.client_id
      ) then 'erasure_not_recorded'
    end) as problem (name)
    where d.client_id between from_client_id and to_client_id
      and problem.name is not null
    order by 1, 2, 4;
end
$$;

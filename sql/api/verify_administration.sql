create or replace function api.verify_administration(
  after     bigint default null,
  page_size integer default 1000
)
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  v_length bigint;
  v_last   bigint;
  v_answer jsonb;
begin
  -- GUARD
  perform rules.require_permission(rules.current_actor(), 'can_admin');
  perform rules.require_page_size(page_size);

  -- ACT
  v_length := coalesce((select c.length from public.administration_chain c), 0);
  if coalesce(after, 0) < v_length - page_size then
    v_last := greatest(coalesce(after, 0), 0) + page_size;
  end if;
  select jsonb_build_object(
    'records', count(*),
    'place', max(a.place),
    'sha256', encode((array_agg(a.row_hash order by a.place desc))[1], 'hex')
  )
  into v_answer
  from public.administration_history a
  where a.place > coalesce(after, 0)
    and a.place <= coalesce(v_last, v_length);
  return v_answer || jsonb_build_object(
    'breaks', (
      select coalesce(jsonb_agg(to_jsonb(b.*)), '[]')
      from (
        select b.record_id, b.place, b.problem, null::text as about, null::jsonb as key
        from rules.administration_breaks(after, v_last) b
        union all
        -- at the end: what the record is about
        select null, null, m.problem, m.about, m.key
        from rules.administration_mismatches() m
        where v_last is null
        limit 1000
      ) as b
    ),
    'next_after', v_last
  );
end
$$;

comment on function api.verify_administration(bigint, integer) is
'Whether the record of administration is what was recorded: each record against its hash and the one before.
On the last page also each row that is on record, against its newest record.
after: next_after of the page before, a place in the chain. page_size: 1 to 1,000. For can_admin.
Answers {records, breaks, place, sha256, next_after}: breaks is empty where all is as recorded, else the first 1,000 of record_id, place and
problem (row_altered, row_missing, hash_missing, chain_set_back), or of about (a table), key (of a row) and problem (row_gone, row_added, row_changed);
sha256: the hash at place, the last of this page, that stands for all before it.
Errors: permission_missing (403), page_size_not_valid (422).';

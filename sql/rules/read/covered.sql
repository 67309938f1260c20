-- What a hand-over until a day still has to give back, from history. A field is given back with its value from before
-- the hand-over. Later hand-overs, and ends of other covers, don't keep it: they are repeated on that value, so a chain
-- of covers leads back to the first actor. Any other later change keeps it. A row that was rolled back doesn't count.
create or replace function rules.covered(
  batch uuid,                    -- of the hand-over
  among bigint[] default null    -- only these clients; null: all
)
returns table (
  client_id  bigint,
  history_id bigint,   -- the row of the hand-over
  back       jsonb,    -- the fields to give back, with their values; null: none
  kept       text[],   -- the fields that an actor changed meanwhile; null: none
  holder     text      -- who has all that is to give back, perhaps handed on by the cover; null: several have it
)
language plpgsql
stable
as $$
#variable_conflict use_variable
begin
  return query
    with handed as (
      select h.id, h.client_id, h.version, f.key as field, f.value, h.payload #>> '{hand_over,to}' as taker
      from public.stage_history h
      cross join lateral jsonb_each(rules.changed_fields(h.*)) f
      where h.batch = covered.batch
        and (among is null or h.client_id in (select unnest(among)))
        and h.trigger_type <> 'rollback'
        and not exists (select from rules.rollback_of(h.id))
    ),
    judged as (
      select
        d.id, d.client_id, d.field, l.is_kept,
        rules.after_hand_overs(d.value -> 'from', l.payloads) as back,
        coalesce(l.payloads[cardinality(l.payloads)] #> array['changed', d.field], d.value) -> 'to' as now,
        coalesce(l.payloads[cardinality(l.payloads)] #>> '{hand_over,to}', d.taker) as holder,
        -- given back already, by this cover or one that began earlier
        coalesce(l.gave_back <= d.id, false) as is_settled
      from handed d
      cross join lateral (
        select
          array_agg(r.payload order by r.version) as payloads,
          coalesce(bool_or(not r.payload ? 'hand_over'), false) as is_kept,
          min((r.payload ->> 'gives_back')::bigint) as gave_back
        from public.stage_history r
        where r.client_id = d.client_id
          and r.version > d.version
          and r.trigger_type <> 'rollback'
          and rules.changed_fields(r.*) ? d.field
          and not exists (select from rules.rollback_of(r.id))
      ) l
    ),
    owed as (
      select
        j.client_id, j.id,
        jsonb_object_agg(j.field, j.back) filter (where not j.is_kept and j.back <> j.now) as back,
        array_agg(j.field order by j.field) filter (where j.is_kept) as kept,
        min(j.holder) filter (where not j.is_kept and j.back <> j.now) as one,
        max(j.holder) filter (where not j.is_kept and j.back <> j.now) as other
      from judged j
      where not j.is_settled
      group by j.client_id, j.id
    )
    select o.client_id, o.id, o.back, o.kept, case when min(o.one) over () = max(o.other) over () then max(o.other) over () end
    from owed o;
end
$$;

-- EVALUATE giving back what a cover still has: one item for each of these clients that changes, ready to be written.
-- Like an undo it needs no permission: the hand-over, with its day, was permitted. The caller holds the clients' locks.
create or replace function rules.give_back(
  cover_id   bigint,
  context    rules.change_context,
  client_ids bigint[]
)
returns rules.item[]
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_cover public.covers;
  v_found record;
  v_after rules.client_state;
  v_items rules.item[] := array[]::rules.item[];
  v_payload constant jsonb := context.payload;
begin
  select c.* into v_cover from public.covers c where c.id = cover_id;
  for v_found in
    select rules.state_of(c.*) as state, b.history_id, b.back, coalesce(b.holder, v_cover.to_actor_id) as holder
    from rules.covered(v_cover.batch, client_ids) b
    join public.clients c on c.id = b.client_id
    where b.back is not null
    order by c.id
  loop
    v_after := v_found.state;
    v_after.version := v_after.version + 1;
    v_after.fields := jsonb_populate_record(v_after.fields, v_found.back);
    context.payload := coalesce(v_payload, '{}') || jsonb_build_object(
      'gives_back', v_found.history_id,
      'hand_over', jsonb_build_object('from', v_found.holder, 'to', v_cover.from_actor_id)
    );
    v_items := v_items || rules.open_item(
      'update', (v_found.state).id, null, context, (v_found.state).version,
      place => cardinality(v_items), before => v_found.state, after => v_after, is_locked => true
    );
  end loop;
  return v_items;
end
$$;

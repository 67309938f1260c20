create or replace function api.set_cover(
  cover_id bigint,
  until    date default null,
  reason   text default null
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  v_actor   constant text := rules.current_actor();
  v_context rules.change_context;
  v_cover   public.covers;
  v_refused rules.violation;
  v_ids     bigint[];
  v_holder  text;
  v_items   rules.item[];
  v_left    jsonb;
begin
  -- OPEN
  v_context := rules.open_context(v_actor, reason);
  select c.* into v_cover from public.covers c where c.id = cover_id and c.ended_at is null;
  if v_cover.id is null then
    perform rules.refuse('cover_not_found', jsonb_build_object('cover_id', cover_id));
  end if;
  select array_agg(b.client_id) filter (where b.back is not null), coalesce(max(b.holder), v_cover.to_actor_id)
  into v_ids, v_holder
  from rules.covered(v_cover.batch) b;
  v_refused := rules.cover_violation(v_actor, array[v_cover.made_by, v_cover.from_actor_id, v_holder]);
  if v_refused is not null then
    perform rules.refuse_all(array[v_refused]);
  end if;
  if until is not null then
    perform rules.require_later_day(until);
    update public.covers c set until = set_cover.until where c.id = cover_id;
    return jsonb_build_object('cover_id', cover_id, 'until', until, 'given_back', 0, 'left', '[]'::jsonb);
  end if;

  -- LOCK, EVALUATE and WRITE
  v_context.external_id := null;
  v_context.batch := gen_random_uuid();
  perform rules.lock_clients(coalesce(v_ids, '{}'));
  v_items := rules.write_items(rules.give_back(cover_id, v_context, coalesce(v_ids, '{}')));
  v_left := (
    select coalesce(jsonb_agg(
      rules.left_json(i.violations, jsonb_build_object('client_id', i.client_id))
      order by i.client_id
    ), '[]')
    from unnest(v_items) i
    where i.violations is not null
  );
  update public.covers c
  set ended_at = now(), ended_by = v_actor
  where c.id = cover_id and v_left = '[]';

  -- ANSWER
  return jsonb_build_object(
    'cover_id', cover_id, 'until', null, 'given_back', cardinality(v_items) - jsonb_array_length(v_left), 'left', v_left
  );
end
$$;

comment on function api.set_cover(bigint, date, text) is
'Move the end of a cover to another day, or end it now and give the clients back.
cover_id: as the function covers lists it. until: a later day, within a year; if omitted, the cover ends now. reason: why it ends, at most
2,000 characters. The covered actor, the cover and the one who made it can call it, and admins. What an actor changed meanwhile is kept.
Returns {cover_id, until, given_back, left}: the number of clients given back; for each client that the firm''s own database refused its
client_id, rule, text and facts. The cover then continues.
Errors: permission_missing (403); cover_not_found (404); day_not_valid, text_too_long, text_not_clean (422); client_locked, retry (503).';

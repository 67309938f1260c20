create or replace function api.set_stages(
  items  jsonb,
  atomic boolean default false
)
returns api."application/json"
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_actor    text := rules.current_actor();
  v_key      text := rules.idempotency_key(null);
  v_request  jsonb := jsonb_build_object('call', 'set_stages', 'actor_id', v_actor, 'items', items, 'atomic', atomic);
  v_answer   json := rules.replayed_answer(v_key, v_request);
  v_moves    jsonb[];
  v_outcomes json[] := array[]::json[];
  v_refused  json[] := array[]::json[];
  v_step     integer;
begin
  if v_answer is not null then
    return v_answer;
  end if;

  -- GUARD
  if (jsonb_typeof(items) = 'array' and jsonb_array_length(items) between 1 and 1000) is not true then
    perform rules.refuse('items_not_valid');
  end if;
  v_moves := array(
    select rules.move_request(v_actor, i.ordinality - 1, i.item)
    from jsonb_array_elements(items) with ordinality as i (item, ordinality)
    order by i.ordinality
  );

  -- LOCK: keys before clients, each in one order, so that two calls wait for each other and never in a ring
  perform rules.lock_moves(v_moves);

  -- ACT: all at once; a batch that names a client or a key twice goes item by item, in its own order
  v_step := case when rules.names_twice(v_moves) then 1 else cardinality(v_moves) end;
  for i in 1 .. cardinality(v_moves) by v_step loop
    select
      v_outcomes || array_agg(o.outcome order by o.index),
      v_refused || array_agg(o.outcome order by o.index) filter (where o.is_refused)
    into v_outcomes, v_refused
    from rules.move_together(v_actor, v_moves[i : i + v_step - 1]) o;
  end loop;

  if atomic and cardinality(v_refused) > 0 then
    perform rules.refuse_all(v_refused[1]::jsonb #> '{details,refusals}', jsonb_build_object('items', to_jsonb(v_refused)));
  end if;
  v_answer := json_build_object(
    'items', array_to_json(v_outcomes),
    'done', cardinality(v_outcomes) - cardinality(v_refused),
    'refused', cardinality(v_refused)
  );
  if v_key is not null then
    return rules.remember_answer(v_key, v_request, v_answer::jsonb);
  end if;
  return v_answer;
end
$$;

comment on function api.set_stages(jsonb, boolean) is
'Move many clients in one call.
items: an array of 1 to 1,000 objects, each with the arguments of set_stage. atomic: whether one refusal refuses all.
Each item is judged by itself; a client named twice is moved twice, in the order of the items.
Answers {items, done, refused}: for each item its index and status with {client, history, changed, replayed}, or with the
{code, message, details, hint} that it would have had alone. An atomic call that is refused is the first refused item''s error, with all refused items in details.
Errors: items_not_valid (422); atomic: those of set_stage.';

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
#variable_conflict use_variable
declare
  v_actor    constant text := rules.current_actor();
  v_key      constant text := rules.idempotency_key(null);
  v_items    rules.move_item[];
  v_clients  rules.client_state[];
  v_outcomes json[] := array[]::json[];
  v_refused  json[] := array[]::json[];
  v_context  rules.change_context;
  v_answer   json;
  v_step     integer;
begin
  -- OPEN
  if (
    jsonb_typeof(items) = 'array'
    and jsonb_array_length(items) between 1 and 1000
    -- with a key, the items are written out as what the key stands for
    and (v_key is null or rules.is_small_json(items, 70000000))
  ) is not true then
    perform rules.refuse('items_not_valid');
  end if;
  v_context := rules.open_change(v_actor, null, external_id => v_key);
  v_answer := rules.earlier_answer(
    v_context, jsonb_build_object('call', 'set_stages', 'items', items, 'atomic', atomic)
  );
  if v_answer is not null then
    return v_answer;
  end if;
  v_items := array(
    select rules.read_move_item(v_actor, i.place - 1, i.item)
    from jsonb_array_elements(items) with ordinality as i (item, place)
    order by i.place
  );

  -- LOCK: keys before clients, each in one order, so that two calls wait for each other and never in a ring
  perform rules.earlier_use(i.context, i.request)
  from (
    select u.context, u.request
    from unnest(v_items) u
    where u.request is not null
    order by (u.context).external_id, u.index
  ) i;
  v_clients := rules.lock_clients(array(select i.client_id from unnest(v_items) i));

  -- EVALUATE and WRITE: all at once; a batch that names a client or a key twice goes item by item, in its own order
  v_step := case
    when exists (
      select
      from unnest(v_items) i
      cross join lateral (values ('client', i.client_id::text), ('key', (i.context).external_id)) as named (what, name)
      where named.name is not null
      group by named.what, named.name
      having count(*) > 1
    ) then 1
    else cardinality(v_items)
  end;
  for i in 1 .. cardinality(v_items) by v_step loop
    select
      v_outcomes || array_agg(o.outcome order by o.index),
      v_refused || array_agg(o.outcome order by o.index) filter (where o.is_refused)
    into v_outcomes, v_refused
    from rules.make_moves(v_actor, v_items[i : i + v_step - 1], v_clients) o;
    if v_step = 1 then
      v_clients := rules.lock_clients(array(select c.id from unnest(v_clients) c));
    end if;
  end loop;
  -- the key of a move that was not made is free again; the batch's own key, which an item may repeat, is not
  delete from public.idempotency_keys k
  using unnest(v_items) i
  where k.external_id = (i.context).external_id
    and k.actor_id = v_actor
    and k.response is null
    and k.external_id is distinct from v_key;

  -- ANSWER
  if atomic and cardinality(v_refused) > 0 then
    -- the first refused item's error, with all refused items in its details
    perform rules.refuse_all(
      array(
        select (r.refusal ->> 'rule', r.refusal - '{rule,status,message,hint}'::text[])::rules.violation
        from jsonb_array_elements(to_jsonb(v_refused[1]) #> '{details,refusals}') with ordinality as r (refusal, place)
        order by r.place
      ),
      jsonb_build_object('items', to_jsonb(v_refused))
    );
  end if;
  return rules.remember_answer(v_context, json_build_object(
    'items', array_to_json(v_outcomes),
    'done', cardinality(v_outcomes) - cardinality(v_refused),
    'refused', cardinality(v_refused)
  ));
end
$$;

comment on function api.set_stages(jsonb, boolean) is
'Move many clients in one call.
items: an array of 1 to 1,000 objects, each with the arguments of set_stage. atomic: whether one refusal refuses all.
Each item is judged by itself; a client named twice is moved twice, in the order of the items.
Answers {items, done, refused}: for each item its index and status with {client, history, changed, replayed}, or with the
{code, message, details, hint} that it would have had alone. An atomic call that is refused is the first refused item''s error, with all refused items in details.
Errors: items_not_valid (422); atomic: those of set_stage.';

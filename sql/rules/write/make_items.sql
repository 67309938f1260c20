-- The path of a batch, from its keys to its answers. A client that occurs twice is changed in later rounds; all clients
-- are locked once, before the first round.
create or replace function rules.make_items(items rules.item[])
returns rules.item[]
language plpgsql
volatile
as $$
#variable_conflict use_variable
declare
  v_batch constant uuid := gen_random_uuid();
  v_round record;
  v_item  rules.item;
  v_items rules.item[];
begin
  for i in 1 .. cardinality(items) loop
    v_item := items[i];
    v_item.context.batch := v_batch;
    items[i] := v_item;
  end loop;
  items := rules.earlier_answers(items);

  -- LOCK
  items := rules.lock_items(items);

  for v_round in
    select r.round, array_agg(r.nth::integer order by r.nth) as nths
    from unnest(rules.rounds(items)) with ordinality as r (round, nth)
    group by r.round
    order by r.round
  loop
    v_items := array(select items[n.nth] from unnest(v_round.nths) as n (nth));
    if v_round.round > 1 then
      -- an earlier round changed these clients and answered these keys
      v_items := rules.lock_items(rules.earlier_answers(v_items));
    end if;

    -- EVALUATE
    v_items := rules.evaluate(v_items);

    -- WRITE
    v_items := rules.write_items(v_items);

    -- ANSWER
    v_items := rules.answer_items(v_items);
    for i in 1 .. cardinality(v_items) loop
      items[v_round.nths[i]] := v_items[i];
    end loop;
  end loop;

  -- a key of a change that was not made can be used again; a key that another request took first stays, such as the
  -- batch's own
  delete from public.idempotency_keys k
  using unnest(items) i
  where k.external_id = (i.context).external_id
    and k.actor_id = (i.context).actor_id
    and k.response is null
    and not exists (select from unnest(i.violations) v where v.rule = 'idempotency_key_reused');
  return items;
end
$$;

-- The path of a call that changes many clients, from its items to its answer.
create or replace function rules.change_many(
  call   text,
  items  jsonb,
  known  text[],                 -- the arguments that an item can have
  atomic boolean default null    -- one refusal refuses all items; null: the call has no such argument
)
returns json
language plpgsql
volatile
as $$
#variable_conflict use_variable
declare
  v_context rules.change_context;
  v_items   rules.item[];
  v_earlier record;
begin
  -- OPEN
  v_context := rules.open_context(rules.current_actor(), null);
  v_items := rules.read_items(items, v_context.actor_id, known);
  if v_context.external_id is not null then
    select * into v_earlier from rules.earlier_answer(
      v_context,
      jsonb_build_object(
        'call', call,
        -- a key is for what is requested: a retry may have read newer versions
        'items', (
          select jsonb_agg(to_jsonb(i) - 'expected_version' - 'ordinality' order by i.ordinality)
          from unnest(v_items) with ordinality as i
        ),
        'client_ids', rules.item_clients(items)
      ) || case when atomic is not null then jsonb_build_object('atomic', atomic) else '{}' end
    );
    perform rules.refuse_all(v_earlier.violations);
    if v_earlier.answer is not null then
      return v_earlier.answer;
    end if;
  end if;

  -- LOCK, EVALUATE, WRITE and ANSWER
  v_items := rules.make_items(v_items);
  if atomic then
    perform rules.refuse_batch(v_items);
  end if;
  return rules.remember_answer(v_context, rules.batch_answer(v_items));
end
$$;

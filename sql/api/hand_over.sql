create or replace function api.hand_over(
  from_actor_id text,
  to_actor_id   text,
  reason        text
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  v_context rules.change_context;
  v_items   rules.item[];
  v_earlier record;
  v_answer  jsonb;
begin
  -- OPEN
  v_context := rules.open_context(rules.current_actor(), reason, reason_required => true);
  perform rules.require_actor_id(from_actor_id);
  perform rules.require_actor_id(to_actor_id, is_new => true);
  select * into v_earlier from rules.earlier_answer(
    v_context, jsonb_build_object('call', 'hand_over', 'from', from_actor_id, 'to', to_actor_id)
  );
  perform rules.refuse_all(v_earlier.violations);
  if v_earlier.answer is not null then
    return v_earlier.answer;
  end if;
  v_items := array(
    select rules.open_item(
      'update', c.id, null,
      -- the key is that of the call
      jsonb_populate_record(v_context, '{"external_id": null}'),
      fields => row(
        case when c.stage_owner = from_actor_id then to_actor_id end,
        case when from_actor_id = any (c.stage_collaborators)
          then rules.checked_actor_list(array_replace(c.stage_collaborators, from_actor_id, to_actor_id)) end,
        null, null, null, null,
        case when from_actor_id = any (c.eligible_reviewers)
          then rules.checked_actor_list(array_replace(c.eligible_reviewers, from_actor_id, to_actor_id)) end,
        null
      ),
      clear => '{}',
      place => row_number() over (order by c.id) - 1
    )
    from public.clients c
    where c.stage_owner = from_actor_id
      or c.stage_collaborators @> array[from_actor_id]
      or c.eligible_reviewers @> array[from_actor_id]
    order by c.id
    limit 5000
  );

  -- LOCK, EVALUATE and WRITE
  v_items := rules.make_items(v_items);

  -- ANSWER: the numbers, and each client that stays
  v_answer := (
    select jsonb_build_object(
      'batch', (array_agg((i.context).batch) filter (where i.violations is null))[1],
      'done', count(*) filter (where i.violations is null),
      'left', coalesce(jsonb_agg(
        (rules.error_json(i.violations, jsonb_build_object('client_id', i.client_id)) -> 'details') - 'refusals'
        order by i.client_id
      ) filter (where i.violations is not null), '[]')
    )
    from unnest(v_items) i
  );
  return rules.remember_answer(v_context, v_answer::json);
end
$$;

comment on function api.hand_over(text, text, text) is
'Hand over what an actor owns, collaborates on and reviews to another actor.
from_actor_id, to_actor_id: actor ids. reason: why, at most 2,000 characters. Each client is changed as update_client does, with its
permissions. At most 5,000 clients at once: call it again until done is 0.
Returns {batch, done, left}: batch undoes all of it (undo_batch), done is the number of clients; for each other client its client_id, rule,
text and facts.
Errors: actor_id_not_valid, actor_id_not_normal, reason_required, text_too_long, text_not_clean (422); idempotency_key_reused, answer_erased (409);
key_in_use, client_locked, retry (503).';

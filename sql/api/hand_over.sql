create or replace function api.hand_over(
  from_actor_id text,
  to_actor_id   text,
  reason        text,
  until         date default null
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
  v_cover   bigint;
begin
  -- OPEN
  v_context := rules.open_context(rules.current_actor(), reason, reason_required => true);
  perform rules.require_actor_id(from_actor_id);
  perform rules.require_actor_id(to_actor_id, is_new => true);
  if from_actor_id = to_actor_id then
    perform rules.refuse('same_actor', jsonb_build_object('actor_id', to_actor_id));
  end if;
  select * into v_earlier from rules.earlier_answer(v_context, jsonb_strip_nulls(jsonb_build_object(
    'call', 'hand_over', 'from', from_actor_id, 'to', to_actor_id, 'until', until
  )));
  perform rules.refuse_all(v_earlier.violations);
  if v_earlier.answer is not null then
    return v_earlier.answer;
  end if;
  if until is not null then
    perform rules.require_later_day(until);
  end if;
  v_context.payload := jsonb_build_object('hand_over', jsonb_strip_nulls(jsonb_build_object(
    'from', from_actor_id, 'to', to_actor_id, 'until', until
  )));
  v_items := array(
    select rules.open_item(
      'update', c.id, null,
      -- the key is that of the call
      jsonb_populate_record(v_context, '{"external_id": null}'),
      fields => jsonb_populate_record(null::rules.client_fields, jsonb_build_object(
        'stage_owner', case when c.stage_owner = from_actor_id then to_actor_id end,
        'stage_collaborators', case when from_actor_id = any (c.stage_collaborators)
          then rules.checked_actor_list(array_replace(c.stage_collaborators, from_actor_id, to_actor_id)) end,
        'eligible_reviewers', case when from_actor_id = any (c.eligible_reviewers)
          then rules.checked_actor_list(array_replace(c.eligible_reviewers, from_actor_id, to_actor_id)) end
      )),
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
        rules.left_json(i.violations, jsonb_build_object('client_id', i.client_id))
        order by i.client_id
      ) filter (where i.violations is not null), '[]')
    )
    from unnest(v_items) i
  );
  if until is not null and v_answer ->> 'batch' is not null then
    insert into public.covers as c (batch, from_actor_id, to_actor_id, until, made_by)
    values ((v_answer ->> 'batch')::uuid, from_actor_id, to_actor_id, until, v_context.actor_id)
    returning c.id into v_cover;
  end if;
  v_answer := v_answer || jsonb_build_object('cover_id', v_cover);
  return rules.remember_answer(v_context, v_answer::json);
end
$$;

comment on function api.hand_over(text, text, text, date) is
'Hand over what an actor owns, collaborates on and reviews to another actor, permanently or until a day.
from_actor_id, to_actor_id: actor ids. reason: why, at most 2,000 characters. Each client is changed as update_client does, with its
permissions. until: a day after today in the firm''s time zone, within a year. On that day the job covers_end gives back what no actor
changed meanwhile; without until nothing is given back. At most 5,000 clients at once: call it again until done is 0.
Returns {batch, done, left, cover_id}: batch undoes all of it (undo_batch), done is the number of clients; for each other client its
client_id, rule, text and facts; cover_id is for set_cover (null: without until, or nothing was handed over).
Errors: actor_id_not_valid, actor_id_not_normal, same_actor, day_not_valid, reason_required, text_too_long, text_not_clean (422); idempotency_key_reused, answer_erased (409);
key_in_use, client_locked, retry (503).';

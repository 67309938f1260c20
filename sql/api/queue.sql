create or replace function api.queue(
  actor_id  text default null,
  page_size integer default 100
)
returns api."application/json"
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  v_actor text := coalesce(queue.actor_id, rules.current_actor());
  v_queue json;
begin
  -- GUARD
  perform rules.current_actor();
  perform rules.require_actor_id(v_actor);
  perform rules.require_page_size(page_size);

  -- ACT
  select coalesce(
    json_agg(
      json_build_object('client', shown.client, 'why', q.why, 'sla_due_at', q.sla_due_at)
      order by q.nth
    ),
    '[]'
  )
  into v_queue
  from rules.queue_of(v_actor, page_size) q
  cross join lateral rules.shown_clients(array[q.client_id]) shown;
  return json_build_object('actor_id', v_actor, 'queue', v_queue);
end
$$;

comment on function api.queue(text, integer) is
'What an actor should do next.
actor_id: whose queue; the caller''s when left out. page_size: 1 to 1,000. Any actor may read.
Answers {actor_id, queue}: each item with client, why (owner, collaborator, review, in_scope) and sla_due_at (null: no limit).
Stuck clients first, then the nearest to their SLA, those that wait on the client last.
Errors: actor_id_not_valid, page_size_not_valid (422).';

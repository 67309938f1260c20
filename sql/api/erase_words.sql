create or replace function api.erase_words(
  client_id bigint,
  reason    text
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
  v_deleted public.deleted_clients;
  v_before  rules.client_state;
  v_after   rules.client_state;
  v_first   public.stage_history;  -- the row that records when the client was added
  v_rows    bigint;                -- of history
  v_answers bigint;
  v_runs    bigint;
  v_erasure public.erasures;
begin
  -- OPEN
  v_context := rules.open_context(v_actor, reason, reason_required => true);
  perform rules.require_permission(v_actor, 'can_admin');

  -- LOCK
  select d.* into v_deleted from public.deleted_clients d where d.client_id = client_id for update;
  if v_deleted.client_id is null then
    v_before := rules.lock_client(client_id);
    select h.* into v_first from public.stage_history h where h.client_id = client_id and h.version = 0;
  else
    v_first := jsonb_populate_record(null::public.stage_history, v_deleted.history);
  end if;

  -- WRITE: the notes first, by an ordinary change whose reason is then erased with the other words
  v_after := v_before;
  v_after.fields.stage_notes := null;
  v_after.version := v_before.version + 1;
  if (v_before.fields).stage_notes is not null then
    perform rules.refuse_all(array[w.violation], jsonb_build_object('client_id', client_id))
    from rules.write_changes(array[(v_context, v_before, v_after)::rules.change]) w;
  end if;

  -- before history, which knows the keys whose answers were pruned
  v_answers := rules.erase_answers(client_id);

  update public.stage_history h
  set words_hash = bare.words_hash, words_salt = bare.words_salt, reason = bare.reason,
      on_behalf_of = bare.on_behalf_of, triggered_by = bare.triggered_by, external_id = bare.external_id,
      payload = bare.payload
  from public.stage_history old
  cross join lateral rules.without_words(old.*) as bare
  where old.client_id = client_id
    and old.id = h.id
    and old.row_hash is not null
    and old.words_hash is null
    and (old.reason, old.on_behalf_of, old.triggered_by, old.external_id, old.payload)
      is distinct from (null, null, null, null, rules.history_facts(old.channel, old.payload));
  get diagnostics v_rows = row_count;

  if v_deleted.client_id is not null and v_deleted.words_hash is null then
    update public.deleted_clients d
    set words_hash = rules.administration_row(to_jsonb(d.*)) ->> 'words_hash',
        name = null, slug = null, reason = null, history = to_jsonb(rules.without_words(v_first))
    where d.client_id = client_id;
    v_rows := 1;
  end if;

  v_runs := rules.erase_from_runs(client_id, v_first.occurred_at);

  if v_rows + v_answers + v_runs = 0 then
    select e.* into v_erasure
    from public.erasures e
    where e.client_id = client_id
    order by e.id desc
    limit 1;
  end if;
  if v_erasure.id is null then
    insert into public.erasures (client_id, last_version, rows, erased_by, reason)
    values (
      client_id,
      coalesce((select max(h.version) from public.stage_history h where h.client_id = client_id), 0),
      v_rows, v_actor, v_context.reason
    )
    returning * into v_erasure;
  end if;

  -- ANSWER
  return jsonb_build_object(
    'erasure', to_jsonb(v_erasure) - '{id,login}'::text[],
    'changed', v_rows + v_answers + v_runs > 0
  );
exception
  -- a job's open transaction can hold its run, and another erasure can hold a batch's key
  when lock_not_available or deadlock_detected then
    perform rules.refuse('client_locked', jsonb_build_object('client_id', client_id));
    raise;
end
$$;

comment on function api.erase_words(bigint, text) is
'Erase the words that callers wrote about a client. The recorded changes, times and actors stay; history still verifies.
client_id: the client; a deleted client''s words can be erased too. reason: why, at most 2,000 characters; it is kept. Needs can_admin.
Erased are: reasons, on_behalf_of, triggered_by, payloads and keys (external_id) in its history; its stage notes; kept answers about it,
batches included; its slug and host messages in the runs of jobs; of a deleted client also its name, slug and the reason for the deletion.
A key whose answer was erased is refused with answer_erased; its request is not repeated. An erasure can''t be undone.
Kept are actor ids. The client''s name, slug and other columns of its row belong to Atlas.
Returns {erasure, changed}: client_id, last_version, rows (history rows), erased_at, erased_by, reason; changed is false when there was nothing to erase.
Errors: permission_missing (403), client_not_found (404), reason_required, text_too_long, text_not_clean (422), client_locked, retry (503).';

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
  v_before  rules.client_state;
  v_after   rules.client_state;
  v_erased  bigint;
  v_erasure public.erasures;
begin
  -- OPEN
  v_context := rules.open_context(v_actor, reason, reason_required => true);

  perform rules.require_permission(v_actor, 'can_admin');

  -- LOCK
  v_before := rules.lock_client(client_id);

  -- WRITE: the notes go by an ordinary change, whose words go with the others
  v_after := v_before;
  v_after.fields.stage_notes := null;
  v_after.version := v_before.version + 1;
  if (v_before.fields).stage_notes is not null then
    perform rules.write_change((v_context, v_before, v_after)::rules.change);
  end if;
  update public.stage_history h
  set words_hash = bare.words_hash, words_salt = bare.words_salt, reason = bare.reason,
      on_behalf_of = bare.on_behalf_of, triggered_by = bare.triggered_by, payload = bare.payload
  from public.stage_history old
  cross join lateral rules.without_words(old.*) as bare
  where old.client_id = erase_words.client_id
    and old.id = h.id
    and old.row_hash is not null
    and old.words_hash is null
    and (old.reason, old.on_behalf_of, old.triggered_by, old.payload)
      is distinct from (null, null, null, rules.history_facts(old.channel, old.payload));
  get diagnostics v_erased = row_count;

  -- the answers to repeatable writes repeat words too; history remembers the keys
  delete from public.idempotency_keys k
  using public.stage_history h
  where h.client_id = erase_words.client_id
    and h.external_id is not null
    and k.external_id = h.external_id
    and k.actor_id = h.actor_id;

  if v_erased = 0 then
    select e.* into v_erasure
    from public.erasures e
    where e.client_id = erase_words.client_id
    order by e.id desc
    limit 1;
  end if;
  if v_erased > 0 or v_erasure.id is null then
    insert into public.erasures (client_id, last_version, rows, erased_by, reason)
    select erase_words.client_id, max(h.version), v_erased, v_actor, v_context.reason
    from public.stage_history h
    where h.client_id = erase_words.client_id
    returning * into v_erasure;
  end if;

  -- ANSWER
  return jsonb_build_object(
    'erasure', to_jsonb(v_erasure) - '{id,login}'::text[],
    'changed', v_erased > 0
  );
end
$$;

comment on function api.erase_words(bigint, text) is
'Erase what people wrote about a client: reasons, on whose behalf, by what, payloads, and its notes.
client_id: the client. reason: why, at most 2,000 characters; it stays. For can_admin. What was changed, when and by whom stays, and history still verifies.
The client''s name and slug are Atlas''s own; keys (external_id) stay. It cannot be taken back.
Answers {erasure, changed}: client_id, last_version, rows, erased_at, erased_by, reason; changed is false when there was nothing to erase.
Errors: permission_missing (403), client_not_found (404), reason_required, text_too_long, text_not_clean (422), client_locked (503).';

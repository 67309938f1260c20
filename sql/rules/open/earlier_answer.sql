-- OPEN: look up an idempotency key. Returns the first answer to this request; nothing if the key is new, or there is
-- none; a violation if the actor used the key for another request, or if its answer was erased. A new key is taken: a
-- second request with it waits here until the first one ends.
create or replace function rules.earlier_answer(
  context        rules.change_context,
  request        jsonb,   -- the call and its arguments; the context is added here
  out answer     json,
  out violations rules.violation[]
)
language plpgsql
volatile
as $$
#variable_conflict use_variable
declare
  v_sha256 bytea;
  v_kept   public.idempotency_keys;
begin
  if context.external_id is null then
    return;
  end if;
  v_sha256 := sha256(convert_to((request || jsonb_build_object(
    'reason', context.reason, 'triggered_by', context.triggered_by, 'on_behalf_of', context.on_behalf_of,
    'channel', context.channel, 'payload', context.payload, 'override', context.override
  ))::text, 'UTF8'));

  begin
    insert into public.idempotency_keys as k (external_id, actor_id, request_sha256, client_ids)
    values (context.external_id, context.actor_id, v_sha256, array(
      -- an erasure of a client's words finds the answer by these
      select distinct found.id::bigint
      from jsonb_array_elements(coalesce(request -> 'client_ids', jsonb_build_array(request -> 'client_id'))) as found (id)
      where found.id <> 'null'
    ))
    on conflict on constraint idempotency_keys_pkey do nothing
    returning k.* into v_kept;
  exception when lock_not_available then
    perform rules.refuse('key_in_use', jsonb_build_object('external_id', context.external_id));
  end;
  if v_kept.external_id is null then
    select k.* into v_kept
    from public.idempotency_keys k
    where k.external_id = context.external_id and k.actor_id = context.actor_id;
  end if;

  -- a key without an answer is new, or this very transaction took it; if only its answer was pruned, history still has
  -- the key and refuses it
  if v_kept.request_sha256 <> v_sha256 then
    violations := array[('idempotency_key_reused', jsonb_strip_nulls(jsonb_build_object(
      'external_id', context.external_id, 'first_used_at', v_kept.created_at, 'first_used_for', (
        select jsonb_strip_nulls(jsonb_build_object(
          'client_id', u.history -> 'client_id', 'to_stage', u.history -> 'to_stage',
          'flag_added', u.history -> 'flag_added', 'flag_removed', u.history -> 'flag_removed',
          'fields', (select jsonb_agg(f order by f) from jsonb_object_keys(u.history #> '{payload,changed}') f)
        ))
        from (select nullif(v_kept.response -> 'history', 'null') as history) u
        where u.history is not null
      )
    )))::rules.violation];
  elsif v_kept.response is not null then
    answer := v_kept.response || '{"replayed": true}';
  elsif exists (
    -- checked after the insert, which waits for an erasure in progress
    select from public.erased_keys e where e.key_sha256 = rules.key_sha256(context.actor_id, context.external_id)
  ) then
    violations := array[
      ('answer_erased', jsonb_build_object('external_id', context.external_id))::rules.violation
    ];
  end if;
end
$$;

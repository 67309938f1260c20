-- OPEN: look up an idempotency key. Returns the first answer to this request; nothing if the key is new, or there is
-- none; a violation if the actor used the key for another request. A new key is taken: a second request with it waits
-- here until the first one ends.
create or replace function rules.earlier_answer(
  context        rules.change_context,
  request        jsonb,   -- the call and its arguments; what the context says is added here
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
    insert into public.idempotency_keys as k (external_id, actor_id, request_sha256)
    values (context.external_id, context.actor_id, v_sha256)
    on conflict on constraint idempotency_keys_pkey do nothing
    returning * into v_kept;
  exception when lock_not_available then
    perform rules.refuse('key_in_use', jsonb_build_object('external_id', context.external_id));
  end;
  -- an old answer is pruned; the key stays in history, which keeps the request from being made twice
  if v_kept.external_id is not null and not exists (
    select
    from public.stage_history h
    where h.external_id = context.external_id and h.actor_id = context.actor_id
  ) then
    return;
  end if;

  select * into v_kept
  from public.idempotency_keys k
  where k.external_id = context.external_id and k.actor_id = context.actor_id;
  if v_kept.request_sha256 = v_sha256 then
    -- a key without an answer was taken by this very transaction
    answer := v_kept.response || '{"replayed": true}';
  else
    violations := array[('idempotency_key_reused', jsonb_build_object(
      'external_id', context.external_id, 'first_used_at', v_kept.created_at
    ))::rules.violation];
  end if;
end
$$;

-- Takes the caller's key for this request, or says what the key was used for before:
--   answer      the first answer, if it was this very request
--   violations  if it was another request, or if its answer was erased
-- Both are null for a new key and for a key that this transaction took already. A second request with the same key
-- waits for the first one here.
create or replace function rules.earlier_use(
  context        rules.change_context,
  request        jsonb,   -- the call and its arguments; the texts of the context are part of the request too
  out answer     jsonb,
  out violations rules.violation[]
)
language plpgsql
volatile
as $$
#variable_conflict use_variable
declare
  external_id constant text := context.external_id;
  actor_id    constant text := context.actor_id;
  v_sha256    bytea;
  v_kept      public.idempotency_keys;
begin
  if external_id is null then
    return;
  end if;
  v_sha256 := sha256(convert_to((request || jsonb_build_object(
    'reason', context.reason, 'triggered_by', context.triggered_by, 'on_behalf_of', context.on_behalf_of,
    'channel', context.channel, 'payload', context.payload, 'override', context.override
  ))::text, 'UTF8'));

  begin
    insert into public.idempotency_keys as k (external_id, actor_id, request_sha256, client_ids)
    values (external_id, actor_id, v_sha256, array(
      select distinct found.id::bigint
      from (
        select request -> 'client_id'
        union all
        select i.item -> 'client_id' from jsonb_array_elements(request -> 'items') as i (item)
      ) as found (id)
      where jsonb_typeof(found.id) = 'number'
        and found.id::numeric between -9223372036854775808 and 9223372036854775807
    ))
    on conflict on constraint idempotency_keys_pkey do nothing
    returning k.* into v_kept;
  exception when lock_not_available then
    perform rules.refuse('key_in_use', jsonb_build_object('external_id', external_id));
  end;

  if v_kept.external_id is null then
    select k.* into v_kept
    from public.idempotency_keys k
    where k.external_id = external_id and k.actor_id = actor_id;
  end if;
  if v_kept.request_sha256 <> v_sha256 then
    violations := array[('idempotency_key_reused', jsonb_build_object(
      'external_id', external_id, 'first_used_at', v_kept.created_at
    ))::rules.violation];
  elsif v_kept.response is not null then
    answer := v_kept.response || '{"replayed": true}';
  elsif exists (
    -- after the insert, which waits for an erasure in progress
    select from public.erased_keys e where e.key_sha256 = rules.key_sha256(actor_id, external_id)
  ) then
    violations := array[('answer_erased', jsonb_build_object('external_id', external_id))::rules.violation];
  end if;
end
$$;

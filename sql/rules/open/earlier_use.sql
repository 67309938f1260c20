-- What an actor's key was used for before: its first answer when it was this request, a violation when it was another;
-- nothing when the key is new, or there is none. A new key is taken: a second request with it waits here, so that it
-- finds the first one's answer.
create or replace function rules.earlier_use(
  context        rules.change_context,
  request        jsonb,   -- the call and its arguments; what the context says of the change belongs to it too
  out answer     jsonb,
  out violations rules.violation[]
)
language plpgsql
volatile
as $$
#variable_conflict use_variable
declare
  v_sha256 bytea;
  v_kept   public.idempotency_keys;
  external_id constant text := context.external_id;
  actor_id    constant text := context.actor_id;
begin
  if external_id is null then
    return;
  end if;
  v_sha256 := sha256(convert_to((request || jsonb_build_object(
    'reason', context.reason, 'triggered_by', context.triggered_by, 'on_behalf_of', context.on_behalf_of,
    'channel', context.channel, 'payload', context.payload, 'override', context.override
  ))::text, 'UTF8'));

  begin
    insert into public.idempotency_keys as k (external_id, actor_id, request_sha256)
    values (external_id, actor_id, v_sha256)
    on conflict on constraint idempotency_keys_pkey do nothing
    returning * into v_kept;
  exception when lock_not_available then
    perform rules.refuse('key_in_use', jsonb_build_object('external_id', external_id));
  end;
  -- its answer may have been given up for its age; its history row was not
  if v_kept.external_id is not null and not exists (
    select
    from public.stage_history h
    where h.external_id = external_id and h.actor_id = actor_id
  ) then
    return;
  end if;

  select * into v_kept
  from public.idempotency_keys k
  where k.external_id = external_id and k.actor_id = actor_id;
  if v_kept.request_sha256 = v_sha256 then
    -- without an answer it is a key that this very transaction has taken
    answer := v_kept.response || '{"replayed": true}';
  else
    violations := array[('idempotency_key_reused', jsonb_build_object(
      'external_id', external_id, 'first_used_at', v_kept.created_at
    ))::rules.violation];
  end if;
end
$$;

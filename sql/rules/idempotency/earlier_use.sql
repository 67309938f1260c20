-- What a key was used for before: null when it is new, {"answer": …} when it was this request,
-- {"refusal": …} when it was another. The key is locked.
create or replace function rules.earlier_use(
  external_id text,
  request     jsonb
)
returns jsonb
language plpgsql
volatile
as $$
declare
  v_kept public.idempotency_keys;
begin
  if external_id is null then
    return null;
  end if;
  select * into v_kept from public.idempotency_keys k where k.external_id = earlier_use.external_id;
  if v_kept.request_sha256 = rules.request_sha256(request) then
    return jsonb_build_object('answer', v_kept.response || '{"replayed": true}');
  end if;
  if found or exists (select from public.stage_history h where h.external_id = earlier_use.external_id) then
    return jsonb_build_object('refusal', rules.refusal('idempotency_key_reused', jsonb_strip_nulls(jsonb_build_object(
      'external_id', external_id, 'first_used_at', v_kept.created_at
    ))));
  end if;
  return null;
end
$$;

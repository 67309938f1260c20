-- Set or clear one flag of one client: what api.set_flag and api.clear_flag have in common.
create or replace function rules.change_flag(
  setting      boolean,
  client_id    bigint,
  flag         text,
  reason       text,
  triggered_by text,
  on_behalf_of text,
  channel      text,
  external_id  text,
  payload      jsonb
)
returns jsonb
language plpgsql
volatile
as $$
declare
  v_actor    text := rules.current_actor();
  v_key      text := rules.idempotency_key(external_id);
  v_request  jsonb := jsonb_build_object(
    'call', case when setting then 'set_flag' else 'clear_flag' end,
    'actor_id', v_actor, 'client_id', client_id, 'flag', flag, 'reason', reason, 'triggered_by', triggered_by,
    'on_behalf_of', on_behalf_of, 'channel', channel, 'payload', payload
  );
  v_answer   jsonb := rules.replayed_answer(v_key, v_request);
  v_client   public.clients;
  v_refusals jsonb;
begin
  if v_answer is not null then
    return v_answer;
  end if;

  -- GUARD
  perform rules.begin_change('flags', rules.change_request(
    v_actor, reason, triggered_by, on_behalf_of, channel, v_key, payload
  ));

  -- LOCK
  v_client := rules.lock_client(client_id);

  -- ACT: the triggers judge and record
  if flag is not null and (flag = any (v_client.flags)) <> setting then
    update public.clients c
    set flags = case when setting then c.flags || flag else array_remove(c.flags, flag) end
    where c.id = client_id
    returning * into v_client;
    return rules.remember_answer(v_key, v_request, rules.change_answer(v_client.id, true)::jsonb);
  end if;

  -- No change, and no history row; who may not do it is refused all the same.
  v_refusals := rules.flag_refusals(v_actor, client_id, v_client.stage, flag, v_client.service_tier);
  if v_refusals is not null then
    perform rules.refuse_all(v_refusals, jsonb_build_object('client_id', client_id));
  end if;
  return rules.remember_answer(v_key, v_request, rules.change_answer(v_client.id, false)::jsonb);
end
$$;

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
returns json
language plpgsql
volatile
as $$
#variable_conflict use_variable
declare
  v_actor   constant text := rules.current_actor();
  v_key     constant text := rules.idempotency_key(external_id);
  v_context rules.change_context;
  v_client  rules.client_state;
  v_answer  json;
  v_changes boolean;
begin
  -- OPEN
  v_context := rules.open_change(v_actor, reason, triggered_by, on_behalf_of, channel, v_key, payload);
  v_answer := rules.earlier_answer(
    v_context,
    jsonb_build_object(
      'call', case when setting then 'set_flag' else 'clear_flag' end, 'client_id', client_id, 'flag', flag
    )
  );
  if v_answer is not null then
    return v_answer;
  end if;

  -- LOCK
  v_client := rules.lock_client(client_id);

  -- EVALUATE: also where nothing is to change, who may not do it is refused
  perform rules.refuse_all(rules.flag_violations(v_actor, v_client, flag), jsonb_build_object('client_id', client_id));

  -- WRITE
  v_changes := (flag = any (v_client.flags)) <> setting;
  if v_changes then
    perform rules.write_changes(array[(v_context, v_client, rules.flagged(v_client, flag, setting))::rules.change]);
  end if;

  -- ANSWER
  return rules.remember_answer(v_context, rules.change_answer(client_id, v_changes));
end
$$;

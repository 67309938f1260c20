-- Set or clear the flag of one item of set_flags; what came of it, or the error that it would have had alone.
create or replace function rules.flag_outcome(
  actor_id text,
  item     jsonb
)
returns jsonb
language plpgsql
volatile
as $$
#variable_conflict use_variable
declare
  v_known   constant text[] := array[
    'client_id', 'flag', 'set', 'reason', 'triggered_by', 'on_behalf_of', 'channel', 'payload'
  ];
  v_setting boolean;
  v_id      bigint;
  v_flag    text;
  v_context rules.change_context;
  v_client  rules.client_state;
  v_changes boolean;
  v_details jsonb;
begin
  v_setting := (item -> 'set')::boolean;
  if jsonb_typeof(item -> 'client_id') = 'string' then
    perform rules.refuse('item_not_valid', jsonb_build_object('argument', 'client_id', 'expected', 'bigint'));
  end if;
  -- cast from text: a fraction is refused, and not rounded to another client
  v_id := (item ->> 'client_id')::bigint;
  v_flag := item ->> 'flag';
  if jsonb_typeof(item) <> 'object' or item - v_known <> '{}' or v_setting is null then
    perform rules.refuse('item_not_valid', jsonb_build_object('known', v_known));
  end if;
  v_context := rules.open_change(
    actor_id, item ->> 'reason', item ->> 'triggered_by', item ->> 'on_behalf_of', item ->> 'channel', null,
    nullif(item -> 'payload', 'null')
  );
  v_client := rules.lock_client(v_id);
  perform rules.refuse_all(rules.flag_violations(actor_id, v_client, v_flag), jsonb_build_object('client_id', v_id));
  v_changes := (v_flag = any (v_client.flags)) <> v_setting;
  if v_changes then
    perform rules.write_changes(array[(v_context, v_client, rules.flagged(v_client, v_flag, v_setting))::rules.change]);
  end if;
  return jsonb_build_object('status', 200) || rules.change_answer(v_id, v_changes)::jsonb;
exception
  when data_exception then
    return rules.error_json(array[
      ('item_not_valid', jsonb_build_object('expected', 'whole numbers and booleans'))::rules.violation
    ]);
  when sqlstate 'PT403' or sqlstate 'PT404' or sqlstate 'PT409' or sqlstate 'PT422' or sqlstate 'PT503' then
    get stacked diagnostics v_details = pg_exception_detail;
    return rules.error_json(
      array[(v_details ->> 'rule', v_details - '{rule,refusals,client_id}'::text[])::rules.violation],
      jsonb_strip_nulls(jsonb_build_object('client_id', v_details -> 'client_id'))
    );
end
$$;

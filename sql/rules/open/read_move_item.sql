-- One item of set_stages as it was asked for; where it cannot be one, with the error that it would have had alone.
create or replace function rules.read_move_item(
  actor_id text,
  index    bigint,
  item     jsonb
)
returns rules.move_item
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_known   constant text[] := array[
    'client_id', 'to_stage', 'reason', 'expected_version', 'triggered_by', 'on_behalf_of', 'channel', 'external_id',
    'payload', 'override'
  ];
  v_item    rules.move_item;
  v_unknown text;
  v_details jsonb;
begin
  v_item.index := index;
  if jsonb_typeof(item) <> 'object' or item - v_known <> '{}' then
    v_unknown := (select min(key) from jsonb_object_keys(case when jsonb_typeof(item) = 'object' then item - v_known end) as key);
    perform rules.refuse('item_not_valid', jsonb_strip_nulls(jsonb_build_object(
      'argument', left(v_unknown, 200), 'known', v_known
    )));
  end if;

  if jsonb_typeof(item -> 'client_id') = 'string' then
    perform rules.refuse('item_not_valid', jsonb_build_object('argument', 'client_id', 'expected', 'bigint'));
  end if;
  -- cast from text: a fraction is refused, and not rounded to another client
  v_item.client_id := (item ->> 'client_id')::bigint;
  v_item.to_stage := item ->> 'to_stage';
  v_item.expected_version := (item ->> 'expected_version')::bigint;
  v_item.context := rules.open_change(
    actor_id, item ->> 'reason', item ->> 'triggered_by', item ->> 'on_behalf_of', item ->> 'channel',
    rules.checked_text('external_id', item ->> 'external_id', 200), nullif(item -> 'payload', 'null'),
    (item ->> 'override')::boolean, reason_required => true
  );
  if (v_item.context).external_id is not null then
    v_item.request := jsonb_build_object(
      'call', 'set_stage', 'client_id', v_item.client_id, 'to_stage', v_item.to_stage, 'expected_version', v_item.expected_version
    );
  end if;
  return v_item;
exception
  when data_exception then
    v_item.outcome := rules.error_json(array[
      ('item_not_valid', jsonb_build_object('expected', 'whole numbers and booleans'))::rules.violation
    ]);
    return v_item;
  when sqlstate 'PT404' or sqlstate 'PT422' then
    get stacked diagnostics v_details = pg_exception_detail;
    v_item.outcome := rules.error_json(array[(v_details ->> 'rule', v_details - '{rule,refusals}'::text[])::rules.violation]);
    return v_item;
end
$$;

-- One item of set_stages as a request: what was asked, its context, its key; or, where it cannot be one,
-- `error` with the error that it would have had alone.
create or replace function rules.move_request(
  actor_id text,
  index    bigint,
  item     jsonb
)
returns jsonb
language plpgsql
stable
as $$
declare
  v_known   constant text[] := array[
    'client_id', 'to_stage', 'reason', 'expected_version', 'triggered_by', 'on_behalf_of', 'channel', 'external_id',
    'payload', 'override'
  ];
  v_unknown text;
  v_key     text;
  v_details text;
begin
  if jsonb_typeof(item) <> 'object' then
    perform rules.refuse('item_not_valid', jsonb_build_object('known', v_known));
  end if;
  if item - v_known <> '{}' then
    v_unknown := (select min(key) from jsonb_object_keys(item - v_known) as key);
    perform rules.refuse('item_not_valid', jsonb_build_object('argument', left(v_unknown, 200), 'known', v_known));
  end if;
  if item ->> 'expected_version' is null then
    perform rules.refuse('expected_version_required');
  end if;

  v_key := rules.checked_text('external_id', item ->> 'external_id', 200);
  return jsonb_build_object(
    'index', index,
    'client_id', (item ->> 'client_id')::bigint,
    'to_stage', item ->> 'to_stage',
    'expected_version', (item ->> 'expected_version')::bigint,
    'override', coalesce((item ->> 'override')::boolean, false),
    'key', v_key,
    'request', case
      when v_key is not null
        then rules.move_key_request(
          actor_id, (item ->> 'client_id')::bigint, item ->> 'to_stage', item ->> 'reason',
          (item ->> 'expected_version')::bigint, item ->> 'triggered_by', item ->> 'on_behalf_of',
          item ->> 'channel', nullif(item -> 'payload', 'null'), (item ->> 'override')::boolean
        )
    end,
    'change', rules.change_request(
      actor_id, item ->> 'reason', item ->> 'triggered_by', item ->> 'on_behalf_of', item ->> 'channel', v_key,
      nullif(item -> 'payload', 'null'), (item ->> 'override')::boolean, reason_required => true
    )
  );
exception
  when data_exception then
    return jsonb_build_object('index', index, 'error', rules.error_json(
      jsonb_build_array(rules.refusal('item_not_valid', jsonb_build_object('expected', 'whole numbers and booleans')))
    ));
  when sqlstate 'PT422' then
    get stacked diagnostics v_details = pg_exception_detail;
    return jsonb_build_object('index', index, 'error', rules.error_json(v_details::jsonb -> 'refusals'));
end
$$;

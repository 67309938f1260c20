-- OPEN: read one item of set_stages, set_flags or update_clients. An item that can't be read is refused with the
-- error that a single call would give; the other items continue.
create or replace function rules.read_item(
  place    bigint,
  item     jsonb,
  actor_id text,
  known    text[]   -- the arguments that an item can have
)
returns rules.item
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_action  constant text := case
    when 'to_stage' = any (known) then 'move'
    when 'owner' = any (known) then 'update'
    when item -> 'set' = 'true' then 'set'
    else 'clear'
  end;
  v_item    rules.item;
  v_fields  rules.client_fields;
  v_clear   text[];
  v_unknown text;
  v_details jsonb;
begin
  if jsonb_typeof(item) <> 'object' or item - known <> '{}' then
    v_unknown := (
      select min(a.name)
      from jsonb_object_keys(case when jsonb_typeof(item) = 'object' then item - known end) as a (name)
    );
    perform rules.refuse('item_not_valid', jsonb_strip_nulls(jsonb_build_object(
      'argument', left(v_unknown, 200), 'known', known
    )));
  end if;
  -- the types that a single call's arguments have; a jsonpath, because a query would cost each item 15 microseconds
  if 'set' = any (known) and jsonb_typeof(item -> 'set') is distinct from 'boolean'
    or jsonb_path_exists(item, '
      strict $.keyvalue() ? (@.value.type() != "null" && (
        (@.key == "client_id" || @.key == "expected_version") && @.value.type() != "number"
        || (@.key == "override" || @.key == "active") && @.value.type() != "boolean"
        || (@.key == "collaborators" || @.key == "reviewers" || @.key == "clear")
          && (@.value.type() != "array" || exists (@.value[*] ? (@.type() != "string")))
        || !(@.key like_regex "^(client_id|expected_version|set|override|active|collaborators|reviewers|clear|payload)$")
          && @.value.type() != "string"
      ))
    ')
  then
    raise data_exception;
  end if;

  if v_action = 'update' then
    v_clear := array(select jsonb_array_elements_text(nullif(item -> 'clear', 'null')));
    v_fields := rules.checked_fields(
      jsonb_populate_record(null::rules.client_fields, (
        select jsonb_object_agg(c.field, item -> c.argument) from rules.field_catalog() c
      )),
      v_clear
    );
  end if;
  return rules.open_item(
    v_action,
    -- cast from text: a jsonb number would be rounded, and 1.5 would be client 2
    (item ->> 'client_id')::bigint,
    coalesce(item ->> 'to_stage', item ->> 'flag'),
    rules.open_context(
      actor_id, item ->> 'reason', item ->> 'triggered_by', item ->> 'on_behalf_of', item ->> 'channel',
      item ->> 'external_id', nullif(item -> 'payload', 'null'), (item ->> 'override')::boolean,
      reason_required => v_action = 'move', of_item => true
    ),
    (item ->> 'expected_version')::bigint,
    v_fields,
    v_clear,
    close_period => item ->> 'close_period',
    place => place
  );
exception
  when data_exception then
    v_item.place := place;
    v_item.context.actor_id := actor_id;
    v_item.violations := array[
      ('item_not_valid', jsonb_build_object('expected', 'each argument with the type that it has in a single call'))::rules.violation
    ];
    return v_item;
  when sqlstate 'PT422' then
    get stacked diagnostics v_details = pg_exception_detail;
    v_item.place := place;
    v_item.context.actor_id := actor_id;
    v_item.violations := array[(v_details ->> 'rule', v_details - '{rule,refusals,text}'::text[])::rules.violation];
    return v_item;
end
$$;

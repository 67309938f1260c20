create or replace function api.set_setting(
  setting text,
  value   text
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  v_type       text;
  v_constraint text;
begin
  -- GUARD
  perform rules.require_permission(rules.current_actor(), 'can_admin');
  v_type := (
    select format_type(a.atttypid, a.atttypmod)
    from pg_catalog.pg_attribute a
    where a.attrelid = 'public.stage_settings'::regclass
      and a.attname = setting
      and a.attname <> 'only_row'
      and a.attnum > 0
      and not a.attisdropped
  );
  if v_type is null then
    perform rules.refuse('setting_not_valid', jsonb_build_object(
      'setting', 'setting', 'value', left(setting, 200),
      'expected', 'one of ' || (select string_agg(k, ', ' order by k) from jsonb_object_keys(api.settings() -> 'settings') as k)
    ));
  end if;

  -- ACT
  begin
    -- @plpgsql_check_options: security_warnings = off
    execute format('update public.stage_settings set %I = $1::%s', setting, v_type) using left(value, 200);
  exception
    when check_violation or not_null_violation or data_exception then
      get stacked diagnostics v_constraint = constraint_name;
      perform rules.refuse('setting_not_valid', jsonb_strip_nulls(jsonb_build_object(
        'setting', setting, 'value', left(value, 200),
        'expected', coalesce(rules.bounds_of(v_constraint), 'a value such as ' || (api.settings() -> 'settings' ->> setting))
      )));
  end;
  return jsonb_build_object('settings', api.settings() -> 'settings');
end
$$;

comment on function api.set_setting(text, text) is
'Change a setting of the firm, effective immediately.
setting: a name that the function settings lists. value: as text, such as America/New_York, 20, 06:00 or true. Needs can_admin.
Returns {settings}.
Errors: permission_missing (403); setting_not_valid (422), retry (503).';

create or replace function api.set_stage_limit(
  stage    text,
  max_days integer default null
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
begin
  -- GUARD
  perform rules.require_permission(rules.current_actor(), 'can_admin');
  perform rules.refuse_all(rules.unknown_stage(stage));

  -- ACT
  begin
    update public.stages s set max_days = set_stage_limit.max_days where s.stage = set_stage_limit.stage;
  exception
    when check_violation then
      perform rules.refuse('setting_not_valid', jsonb_build_object(
        'setting', 'max_days', 'value', max_days, 'expected', rules.bounds_of('stages_max_days_check')
      ));
  end;
  return jsonb_build_object('stages', api.settings() -> 'stages');
end
$$;

comment on function api.set_stage_limit(text, integer) is
'Set how many days a client can be in a stage before it is stuck.
stage: the stage. max_days: the days; null: no limit. Needs can_admin.
Returns {stages}, as the function settings does.
Errors: permission_missing (403); unknown_stage, setting_not_valid (422), retry (503).';

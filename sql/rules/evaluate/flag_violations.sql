-- EVALUATE setting or clearing a flag: every rule that forbids it; null if none does.
create or replace function rules.flag_violations(
  actor_id text,
  client   rules.facts,
  flag     text
)
returns rules.violation[]
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_set_by     constant text[] := (select f.set_by from public.stage_flags f where f.flag = flag_violations.flag);
  v_missing    rules.violation;
  v_violations rules.violation[];
begin
  if v_set_by is null then
    return rules.unknown_flag(flag);
  end if;
  v_missing := rules.missing_permission(actor_id, 'can_set_flag', client, flag => flag);
  if v_missing is not null then
    v_violations := v_violations || v_missing;
  end if;
  if not (
    'anyone' = any (v_set_by)
    or ('human' = any (v_set_by) and rules.actor_type(actor_id) = 'human')
    or actor_id in (select 'system:cron:' || setter from unnest(v_set_by) as setter)
  ) then
    v_violations := v_violations || ('flag_reserved', jsonb_build_object(
      'flag', flag, 'set_by', v_set_by, 'actor_id', actor_id
    ))::rules.violation;
  end if;
  return v_violations;
end
$$;

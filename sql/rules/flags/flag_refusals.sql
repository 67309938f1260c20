-- The one evaluator of flag changes, setting and clearing alike: every rule that forbids it, or null.
create or replace function rules.flag_refusals(
  actor_id     text,
  client_id    bigint,
  stage        text,
  flag         text,
  service_tier text
)
returns jsonb
language plpgsql
stable
as $$
declare
  v_set_by   text[];
  v_refusals jsonb := jsonb '[]';
  v_missing  jsonb;
begin
  select f.set_by into v_set_by from public.stage_flags f where f.flag = flag_refusals.flag;
  if not found then
    return jsonb_build_array(rules.unknown_flag(flag));
  end if;

  v_missing := rules.missing_permission(
    actor_id,
    'can_set_flag',
    client_id    => client_id,
    from_stage   => stage,
    flag         => flag,
    service_tier => service_tier
  );
  if v_missing is not null then
    v_refusals := v_refusals || v_missing;
  end if;

  if not (
    'anyone' = any (v_set_by)
    or ('human' = any (v_set_by) and rules.actor_type(actor_id) = 'human')
    or actor_id in (select 'system:cron:' || setter from unnest(v_set_by) as setter)
  ) then
    v_refusals := v_refusals || rules.refusal('flag_reserved', jsonb_build_object(
      'flag', flag, 'set_by', v_set_by, 'actor_id', actor_id
    ));
  end if;

  return nullif(v_refusals, '[]');
end
$$;

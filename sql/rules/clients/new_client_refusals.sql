-- The one evaluator of new clients. A client begins in onboarding; beginning elsewhere is moving there from
-- onboarding. Beginning with flags is setting them, beginning with an agreement of its own is an admin's.
create or replace function rules.new_client_refusals(
  actor_id text,
  client   public.clients
)
returns jsonb
language plpgsql
stable
as $$
declare
  v_refusals jsonb := jsonb '[]';
  v_missing  jsonb;
  v_flag     text;
begin
  v_missing := rules.missing_permission(
    actor_id, 'can_set_stage',
    client_id => client.id, from_stage => 'onboarding', to_stage => client.stage, service_tier => client.service_tier
  );
  if v_missing is not null then
    v_refusals := v_refusals || v_missing;
  end if;

  if client.stage <> 'onboarding' then
    v_refusals := v_refusals || coalesce(
      rules.stage_refusals(
        actor_id, client.id, 'onboarding', client.stage, null, true, client.service_tier, null, false
      ),
      '[]'
    );
  end if;

  foreach v_flag in array client.flags loop
    v_refusals := v_refusals || coalesce(
      rules.flag_refusals(actor_id, client.id, client.stage, v_flag, client.service_tier), '[]'
    );
  end loop;

  if not rules.has_default_agreement(client) then
    v_missing := rules.missing_permission(
      actor_id, 'can_admin', client_id => client.id, service_tier => client.service_tier
    );
    if v_missing is not null then
      v_refusals := v_refusals || v_missing;
    end if;
  end if;

  return nullif(v_refusals, '[]');
end
$$;

-- Which of update_client's arguments an actor may use on a client: those whose change no permission is missing for, by
-- the evaluator of the real change.
create or replace function rules.open_fields(
  actor_id text,
  client   rules.client_state
)
returns text[]
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_after   rules.client_state;
  v_open    text[] := array[]::text[];
  v_field   text;
  v_refused boolean;
begin
  foreach v_field in array array['owner', 'collaborators', 'notes', 'tier', 'cadence', 'schedule', 'reviewers', 'active'] loop
    v_after := client;
    case v_field
      when 'owner' then v_after.stage_owner := concat(client.stage_owner, '?');
      when 'collaborators' then v_after.stage_collaborators := client.stage_collaborators || '?'::text;
      when 'notes' then v_after.stage_notes := concat(client.stage_notes, '?');
      when 'tier' then v_after.service_tier := concat(client.service_tier, '?');
      when 'cadence' then v_after.close_cadence := concat(client.close_cadence, '?');
      when 'schedule' then v_after.sales_tax_schedule := concat(client.sales_tax_schedule, '?');
      when 'reviewers' then v_after.eligible_reviewers := client.eligible_reviewers || '?'::text;
      when 'active' then v_after.active := not client.active;
    end case;
    begin
      v_refused := exists (
        select
        from unnest(rules.field_violations(actor_id, client, v_after)) v
        where v.rule = 'permission_missing'
      );
    exception when sqlstate 'PT422' then
      -- the rights are asked first, so what has no good form was not refused for them
      v_refused := false;
    end;
    if not v_refused then
      v_open := v_open || v_field;
    end if;
  end loop;
  return v_open;
end
$$;

-- The one evaluator of changes to the other fields: owner, collaborators and notes are day-to-day work,
-- the rest is the firm's agreement with the client and an admin's.
create or replace function rules.field_refusals(
  actor_id     text,
  client_id    bigint,
  stage        text,
  service_tier text,
  fields       text[]
)
returns jsonb
language plpgsql
stable
as $$
declare
  v_missing jsonb;
begin
  v_missing := rules.missing_permission(
    actor_id,
    case
      when fields <@ array['stage_owner', 'stage_collaborators', 'stage_notes'] then 'can_set_stage'
      else 'can_admin'
    end,
    client_id    => client_id,
    from_stage   => stage,
    service_tier => service_tier
  );
  return case
    when v_missing is not null then jsonb_build_array(v_missing || jsonb_build_object('fields', fields))
  end;
end
$$;

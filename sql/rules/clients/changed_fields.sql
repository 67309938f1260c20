-- The fields of this system besides stage and flags in which two states of a client differ, as
-- {"stage_owner": {"from": …, "to": …}}; null when they differ in none.
create or replace function rules.changed_fields(
  before public.clients,
  after  public.clients
)
returns jsonb
language plpgsql
immutable
as $$
begin
  return (
    select jsonb_object_agg(field, jsonb_build_object('from', old_value, 'to', new_value))
    from (values
      ('stage_owner', to_jsonb(before.stage_owner), to_jsonb(after.stage_owner)),
      ('stage_collaborators', to_jsonb(before.stage_collaborators), to_jsonb(after.stage_collaborators)),
      ('stage_notes', to_jsonb(before.stage_notes), to_jsonb(after.stage_notes)),
      ('service_tier', to_jsonb(before.service_tier), to_jsonb(after.service_tier)),
      ('close_cadence', to_jsonb(before.close_cadence), to_jsonb(after.close_cadence)),
      ('sales_tax_schedule', to_jsonb(before.sales_tax_schedule), to_jsonb(after.sales_tax_schedule)),
      ('eligible_reviewers', to_jsonb(before.eligible_reviewers), to_jsonb(after.eligible_reviewers)),
      ('active', to_jsonb(before.active), to_jsonb(after.active))
    ) as f (field, old_value, new_value)
    where old_value is distinct from new_value
  );
end
$$;

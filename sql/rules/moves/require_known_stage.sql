-- BEFORE INSERT or UPDATE on stages: a stage that the CHECK of `clients` does not know could never be entered.
create or replace function rules.require_known_stage()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
begin
  if not rules.is_known('clients_stage_check', new.stage) then
    perform rules.refuse('unknown_value', jsonb_build_object('field', 'stage', 'check', 'clients_stage_check'));
  end if;
  return new;
end
$$;

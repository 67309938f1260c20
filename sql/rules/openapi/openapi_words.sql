-- The arguments that take one of a few words, with these words as they are now.
create or replace function rules.openapi_words()
returns jsonb
language sql
stable
as $$
  select jsonb_build_object(
    'to_stage', s.words,
    'from_stage', s.words,
    'flag', array(select f.flag from public.stage_flags f order by f.flag),
    'permission', rules.known_words('agent_permissions_permission_check'),
    'tier', rules.known_words('clients_service_tier_check'),
    'service_tier', rules.known_words('clients_service_tier_check'),
    'cadence', rules.known_words('clients_close_cadence_check'),
    'schedule', rules.known_words('clients_sales_tax_schedule_check'),
    'role', array(select r.role from rules.role_catalog() r)
  )
  from (select array(select s.stage from public.stages s order by s.position) as words) as s
$$;

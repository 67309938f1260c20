-- Whether what is kept of a client is of the right form, whichever way it came; null where it is. The words that a
-- field knows are those of the CHECKs of `clients`, the one place where they stand.
create or replace function rules.form_violations(client rules.client_state)
returns rules.violation[]
language plpgsql
stable
as $$
#variable_conflict use_variable
declare
  v_given jsonb;
begin
  if client.stage_owner is not null then
    perform rules.require_actor_id(client.stage_owner);
  end if;
  perform rules.checked_actor_list(client.stage_collaborators);
  perform rules.checked_actor_list(client.eligible_reviewers);
  perform rules.checked_text('notes', client.stage_notes, 10000, lines => true);

  v_given := jsonb_strip_nulls(jsonb_build_object(
    'tier', case when client.service_tier <> all (rules.known_words('clients_service_tier_check')) then left(client.service_tier, 200) end,
    'cadence', case when client.close_cadence <> all (rules.known_words('clients_close_cadence_check')) then left(client.close_cadence, 200) end,
    'schedule', case when client.sales_tax_schedule <> all (rules.known_words('clients_sales_tax_schedule_check')) then left(client.sales_tax_schedule, 200) end
  ));
  if v_given = '{}' then
    return null;
  end if;
  return array[('unknown_value', jsonb_build_object(
    'given', v_given,
    'checks', (
      select jsonb_object_agg(k.conname, pg_get_constraintdef(k.oid))
      from pg_catalog.pg_constraint k
      where k.conrelid = 'public.clients'::regclass
        and k.conname in ('clients_service_tier_check', 'clients_close_cadence_check', 'clients_sales_tax_schedule_check')
    )
  ))::rules.violation];
end
$$;

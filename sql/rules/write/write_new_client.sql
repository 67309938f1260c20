-- WRITE for a client that begins: the one function that inserts into `clients`. Answers its id; its history is the
-- caller's to begin, or the transaction fails.
set local role atlas_writer;

create or replace function rules.write_new_client(
  name   text,
  slug   text,
  client rules.client_state
)
returns bigint
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  v_id       bigint;
  v_as_meant boolean;
begin
  insert into public.clients as c (
    name, slug, stage, returning_to_stage, stage_owner, stage_collaborators, stage_notes, service_tier, close_cadence,
    sales_tax_schedule, eligible_reviewers, active
  )
  values (
    write_new_client.name, write_new_client.slug, client.stage, client.returning_to_stage, client.stage_owner,
    client.stage_collaborators, client.stage_notes, client.service_tier, client.close_cadence,
    client.sales_tax_schedule, client.eligible_reviewers, client.active
  )
  returning
    c.id,
    (
      c.slug, c.stage, c.returning_to_stage, c.flags, c.stage_owner, c.stage_collaborators, c.stage_notes,
      c.service_tier, c.close_cadence, c.sales_tax_schedule, c.eligible_reviewers, c.active, c.version
    ) is not distinct from (
      write_new_client.slug, client.stage, client.returning_to_stage, '{}'::text[], client.stage_owner,
      client.stage_collaborators, client.stage_notes, client.service_tier, client.close_cadence,
      client.sales_tax_schedule, client.eligible_reviewers, client.active, 0::bigint
    )
  into v_id, v_as_meant;
  if v_as_meant is not true then
    raise exception 'what was stored is not what was meant';
  end if;
  return v_id;
end
$$;

grant execute on function rules.write_new_client(text, text, rules.client_state) to atlas_owner;
set local role atlas_owner;

-- WRITE a new client: the one function that inserts into `clients`, except for the trial's client. Returns its id. The
-- caller records its first history row; without that row the transaction can't commit.
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
  v_stored public.clients;
begin
  insert into public.clients as c (
    name, slug, stage, returning_to_stage, close_period, stage_owner, stage_collaborators, stage_notes, service_tier,
    close_cadence, sales_tax_schedule, eligible_reviewers, active
  )
  values (
    write_new_client.name, write_new_client.slug, client.stage, client.returning_to_stage, client.close_period,
    (client.fields).stage_owner, (client.fields).stage_collaborators, (client.fields).stage_notes, (client.fields).service_tier,
    (client.fields).close_cadence, (client.fields).sales_tax_schedule, (client.fields).eligible_reviewers,
    (client.fields).active
  )
  returning c.* into v_stored;
  client.id := v_stored.id;
  client.stage_entered_at := v_stored.stage_entered_at;
  -- named by its function, as in write_clients
  if not pg_catalog.record_eq(
    row(v_stored.slug::text, rules.state_of(v_stored)), row(write_new_client.slug, client)
  ) then
    raise exception 'the stored client is not what was recorded';
  end if;
  return v_stored.id;
end
$$;

grant execute on function rules.write_new_client(text, text, rules.client_state) to atlas_owner;
set local role atlas_owner;

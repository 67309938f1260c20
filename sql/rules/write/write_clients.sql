-- WRITE, second half: put clients into their new states. The one function that updates `clients`; the host's triggers
-- run with its role, which can do nothing else. If a host trigger stores something else than what was recorded, the
-- change is refused. The host's deferred constraints are checked too, while the client that violates them is known.
set local role atlas_writer;

create or replace function rules.write_clients(clients rules.client_state[])
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  v_as_recorded   bigint;
  v_has_deferred  boolean;
begin
  with written as (
    update public.clients c
    set version = s.version,
        stage = s.stage,
        stage_entered_at = s.stage_entered_at,
        returning_to_stage = s.returning_to_stage,
        close_period = s.close_period,
        flags = s.flags,
        stage_owner = (s.fields).stage_owner,
        stage_collaborators = (s.fields).stage_collaborators,
        stage_notes = (s.fields).stage_notes,
        service_tier = (s.fields).service_tier,
        close_cadence = (s.fields).close_cadence,
        sales_tax_schedule = (s.fields).sales_tax_schedule,
        eligible_reviewers = (s.fields).eligible_reviewers,
        active = (s.fields).active
    from pg_catalog.unnest(clients) s
    where c.id = s.id
    -- named by its function: the host's schemas are in the path, and an operator for records could be there
    returning pg_catalog.record_eq(rules.state_of(c.*), row(s.*)::rules.client_state) as as_recorded
  )
  select
    pg_catalog.count(*) filter (where w.as_recorded),
    -- of clients: an index finds them, and nearly always there are none
    exists (
      select
      from pg_catalog.pg_constraint k
      where k.conrelid = 'public.clients'::regclass and k.condeferred and k.conname <> 'clients_version_recorded_fkey'
    )
  into v_as_recorded, v_has_deferred
  from written w;
  if v_as_recorded <> pg_catalog.cardinality(clients) then
    raise exception 'the stored clients are not what was recorded';
  end if;
  if v_has_deferred or pg_catalog.cardinality(clients) > 1 then
    perform rules.check_deferred_constraints(of_clients_only => pg_catalog.cardinality(clients) = 1);
  end if;
end
$$;

grant execute on function rules.write_clients(rules.client_state[]) to atlas_owner;
set local role atlas_owner;

-- WRITE, second half: put clients into their new state, at the version that history has for them. The one function
-- that updates `clients`; with it, as its role, run the host's triggers. It can do nothing else.
-- What was stored is what was meant, or the change is refused.
set local role atlas_writer;

create or replace function rules.write_clients(clients rules.client_state[])
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan  -- as in record_changes
as $$
#variable_conflict use_variable
declare
  v_as_meant bigint;
begin
  with written as (
    update public.clients c
    set stage = s.stage,
        stage_entered_at = s.stage_entered_at,
        returning_to_stage = s.returning_to_stage,
        flags = s.flags,
        stage_owner = s.stage_owner,
        stage_collaborators = s.stage_collaborators,
        stage_notes = s.stage_notes,
        service_tier = s.service_tier,
        close_cadence = s.close_cadence,
        sales_tax_schedule = s.sales_tax_schedule,
        eligible_reviewers = s.eligible_reviewers,
        active = s.active,
        version = newest.version
    from unnest(clients) s
    cross join lateral (select max(h.version) from public.stage_history h where h.client_id = s.id) as newest (version)
    where c.id = s.id
    returning (
      c.stage, c.stage_entered_at, c.returning_to_stage, c.flags, c.stage_owner, c.stage_collaborators, c.stage_notes,
      c.service_tier, c.close_cadence, c.sales_tax_schedule, c.eligible_reviewers, c.active, c.version
    ) is not distinct from (
      s.stage, s.stage_entered_at, s.returning_to_stage, s.flags, s.stage_owner, s.stage_collaborators, s.stage_notes,
      s.service_tier, s.close_cadence, s.sales_tax_schedule, s.eligible_reviewers, s.active, newest.version
    ) as as_meant
  )
  select count(*) filter (where w.as_meant) into v_as_meant from written w;
  if v_as_meant <> cardinality(clients) then
    raise exception 'what was stored is not what was meant';
  end if;
end
$$;

grant execute on function rules.write_clients(rules.client_state[]) to atlas_owner;
set local role atlas_owner;

-- Takes the stage system's columns and tables with all they hold; Atlas's own five columns stay as they are.
-- The stored logic goes first: its triggers stand on these tables.
drop schema if exists jobs, api, rules cascade;

drop table public.actor_tokens, public.agent_permissions, public.stage_history;

drop index public.clients_search_idx;

alter table public.clients
  drop column stage,
  drop column stage_entered_at,
  drop column stage_owner,
  drop column stage_collaborators,
  drop column stage_notes,
  drop column flags,
  drop column close_cadence,
  drop column sales_tax_schedule,
  drop column service_tier,
  drop column returning_to_stage,
  drop column eligible_reviewers,
  drop column active,
  drop column version;

do $$
begin
  revoke all on public.clients from atlas_owner;
  execute format('revoke all on sequence %s from atlas_owner', pg_get_serial_sequence('public.clients', 'id'));
  delete from public.stage_deploys where part = 'stored_logic';
  delete from public.atlas_migrations where id = '010_client_stage_taxonomy';
end
$$;

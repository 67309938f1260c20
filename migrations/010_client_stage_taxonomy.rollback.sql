-- Drops the plan's columns and tables with everything in them. Atlas's own five columns keep their data.
drop table public.actor_tokens, public.agent_permissions, public.stage_history;

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

revoke all on public.clients from atlas_owner, atlas_writer;
do $$
begin
  execute format(
    'revoke all on sequence %s from atlas_owner, atlas_writer', pg_get_serial_sequence('public.clients', 'id')
  );
end
$$;

delete from public.atlas_migrations
where id = '010_client_stage_taxonomy';

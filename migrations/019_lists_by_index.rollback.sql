drop index
  public.stage_history_opening_idx,
  public.clients_inactive_idx,
  public.clients_unowned_idx,
  public.clients_flagged_age_idx,
  public.clients_owner_age_idx,
  public.clients_stage_age_idx;
create index clients_flagged_idx on public.clients (id) where flags <> '{}';
create index clients_stage_entered_at_idx on public.clients (stage, stage_entered_at) where active;
delete from public.atlas_migrations
where id = '019_lists_by_index';

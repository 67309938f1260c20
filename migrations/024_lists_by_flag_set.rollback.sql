drop index
  public.clients_flag_set_idx,
  public.clients_flag_set_age_idx;
create index clients_flagged_stage_idx on public.clients (stage, id) where flags <> '{}';
create index clients_flagged_age_idx on public.clients (stage, stage_entered_at, id) where active and flags <> '{}';

delete from public.atlas_migrations
where id = '024_lists_by_flag_set';

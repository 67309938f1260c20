drop index
  public.clients_stage_idx,
  public.clients_stage_age_idx,
  public.clients_stage_owner_idx,
  public.clients_owner_age_idx,
  public.clients_unowned_idx,
  public.clients_stage_collaborators_idx,
  public.clients_flags_idx,
  public.clients_flag_set_idx,
  public.clients_flag_set_age_idx,
  public.clients_inactive_idx,
  public.clients_search_idx,
  public.clients_not_stuck_idx,
  public.clients_stuck_idx,
  public.stage_history_rolls_back_uniq,
  public.stage_history_job_period_uniq,
  public.stage_history_run_idx,
  public.stage_history_close_idx,
  public.stage_history_close_month_idx,
  public.stage_history_opening_idx,
  public.stage_history_feed_idx,
  public.stage_history_actor_feed_idx,
  public.stage_history_stage_feed_idx,
  public.stage_history_unhashed_idx;

delete from public.atlas_migrations
where id = '013_stage_indexes';

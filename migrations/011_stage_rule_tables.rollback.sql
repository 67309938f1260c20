drop table
  public.stage_settings,
  public.business_holidays,
  public.stage_seasons,
  public.stage_flags,
  public.stage_transitions,
  public.stages;

delete from public.atlas_migrations
where id = '011_stage_rule_tables';

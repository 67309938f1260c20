-- The stored logic reads these tables, so it goes too; the next deploy makes both again.
drop schema if exists jobs, api, rules cascade;

drop table
  public.stage_settings,
  public.business_holidays,
  public.stage_seasons,
  public.stage_sla,
  public.stage_flags,
  public.stage_transitions;

delete from public.stage_deploys where part = 'stored_logic';
delete from public.atlas_migrations where id = '011_stage_rule_tables';

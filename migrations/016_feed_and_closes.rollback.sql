drop index public.clients_flagged_stage_idx;
drop index public.clients_flagged_idx;
drop index
  public.stage_history_stage_feed_idx,
  public.stage_history_actor_feed_idx,
  public.stage_history_feed_idx;
alter table public.stage_history
  drop column recorded_at,
  drop column epoch;
comment on column public.stage_history.xid is
  'The change''s transaction, by which its rows can be found together.';
drop table public.feed_epochs;
drop index
  public.stage_history_close_idx,
  public.stage_history_close_month_idx;

delete from public.atlas_migrations
where id = '016_feed_and_closes';

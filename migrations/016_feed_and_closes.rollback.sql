drop index public.stage_history_close_idx;
drop index public.stage_history_close_month_idx;

delete from public.atlas_migrations where id = '016_feed_and_closes';

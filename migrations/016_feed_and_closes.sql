-- depends: 013_job_indexes

-- The closes of a client: by the month that the opening names, and one after the other.
create index stage_history_close_month_idx on public.stage_history (client_id, (payload ->> 'period'))
  where to_stage = 'eom_close';
create index stage_history_close_idx on public.stage_history (client_id, version)
  where to_stage = 'eom_close';

insert into public.atlas_migrations (id, note)
values ('016_feed_and_closes', 'client stage: the feed of changes, closes, what lists need to be quick');

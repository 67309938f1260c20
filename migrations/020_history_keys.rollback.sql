drop index public.stage_history_external_id_uniq;
create unique index stage_history_external_id_uniq on public.stage_history (external_id, actor_id)
where external_id is not null;

delete from public.atlas_migrations
where id = '020_history_keys';

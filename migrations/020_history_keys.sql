-- depends: 019_covers

-- Keys in history don't depend on the sort order either: an index by a sort order that changed can miss a key.
drop index public.stage_history_external_id_uniq;
-- squawk-ignore require-concurrent-index-creation
create unique index stage_history_external_id_uniq
on public.stage_history (external_id collate "C", actor_id collate "C") where external_id is not null;

insert into public.atlas_migrations (id, note)
values ('020_history_keys', 'client stage: keys in history are indexed by their bytes');

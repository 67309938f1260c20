-- depends: 023_retention

-- Who carries a flag, by the whole set of flags that they carry: there are few different sets, each is looked up by
-- itself, and so gives its clients in order of id or age however rare or common the flag is. No flag, no entry.
-- squawk-ignore require-concurrent-index-deletion
drop index public.clients_flagged_stage_idx;
-- squawk-ignore require-concurrent-index-deletion
drop index public.clients_flagged_age_idx;
-- squawk-ignore require-concurrent-index-creation
create index clients_flag_set_idx on public.clients (stage, flags, id) where active and flags <> '{}';
-- squawk-ignore require-concurrent-index-creation
create index clients_flag_set_age_idx on public.clients (stage, flags, stage_entered_at, id)
  where active and flags <> '{}';

insert into public.atlas_migrations (id, note)
values ('024_lists_by_flag_set', 'client stage: lists and queues by the sets of flags that there are');

revoke insert, update, delete on public.stage_transitions from atlas_owner;
drop table public.covers;

delete from public.atlas_migrations
where id = '018_covers';

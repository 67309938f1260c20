revoke update (place, row_hash) on public.administration_history from atlas_owner;
drop table public.administration_chain;
alter table public.administration_history
  drop column place,
  drop column row_hash;

delete from public.atlas_migrations
where id = '025_administration_chained';

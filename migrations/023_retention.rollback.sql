revoke delete on public.job_runs from atlas_owner;
drop index public.idempotency_keys_created_at_idx;
alter table public.stage_settings
  drop column keep_keys,
  drop column keep_runs;

delete from public.atlas_migrations
where id = '023_retention';

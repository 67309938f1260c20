alter table public.idempotency_keys
  alter column external_id type text collate "default",
  alter column actor_id type text collate "default";
alter table public.actor_tokens alter column token_hash type text collate "default";
alter table public.feed_epochs drop column xid;

drop table public.stage_trials;
alter table public.stage_settings drop column trial;

delete from public.atlas_migrations
where id = '016_trial';

-- depends: 012_stage_records

-- Indexes on clients and stage_history, by the question that each answers. Building them blocks writers, not
-- readers. Most clients carry no flag and have no collaborators, so the partial indexes cost those rows nothing.

-- Clients in a stage, by id and by age. The id breaks ties: one statement can move many clients at the same time.
create index clients_stage_idx on public.clients (stage, id);
create index clients_stage_age_idx on public.clients (stage, stage_entered_at, id) where active;

-- Clients of an owner, and clients without one.
create index clients_stage_owner_idx on public.clients (stage_owner, id) where stage_owner is not null;
create index clients_owner_age_idx on public.clients (stage_owner, stage, stage_entered_at, id)
  where active and stage_owner is not null;
create index clients_unowned_idx on public.clients (id) where stage_owner is null;
create index clients_stage_collaborators_idx on public.clients using gin (stage_collaborators)
  where stage_collaborators <> '{}';

-- Clients with a flag. A firm has few different sets of flags, so a list looks up each set that has the flag and
-- reads its clients in order, however rare or common the flag is.
create index clients_flags_idx on public.clients using gin (flags) where flags <> '{}';
create index clients_flag_set_idx on public.clients (stage, flags, id) where active and flags <> '{}';
create index clients_flag_set_age_idx on public.clients (stage, flags, stage_entered_at, id)
  where active and flags <> '{}';

-- Inactive clients, and the search.
create index clients_inactive_idx on public.clients (id) where not active;
create index clients_search_idx on public.clients using gin (to_tsvector('simple', name || ' ' || slug));

-- The stuck detector reads these every hour: clients that may become stuck, and clients that are.
create index clients_not_stuck_idx on public.clients (stage, stage_entered_at)
  where active and 'stuck' <> all(flags);
create index clients_stuck_idx on public.clients (active, stage, stage_entered_at)
  where 'stuck' = any(flags);

-- A row is rolled back at most once.
create unique index stage_history_rolls_back_uniq on public.stage_history (((payload ->> 'rolls_back')::bigint))
  where trigger_type = 'rollback';

-- A job changes a client at most once per period, even if job_runs is lost.
create unique index stage_history_job_period_uniq on public.stage_history (actor_id, (payload ->> 'period'), client_id)
  where channel = 'cron' and payload ? 'period';
-- The changes of one run, for rolling it back.
create index stage_history_run_idx on public.stage_history (((payload ->> 'run_id')::bigint), client_id, version)
  where channel = 'cron' and payload ? 'run_id';

-- The closes of a client, and the clients whose close of a month was opened.
create index stage_history_close_idx on public.stage_history (client_id, version)
  where to_stage = 'eom_close';
create index stage_history_close_month_idx on public.stage_history (client_id, (payload ->> 'period'))
  where to_stage = 'eom_close';
create index stage_history_opening_idx
  on public.stage_history ((coalesce(payload ->> 'period', '')), occurred_at, client_id)
  where to_stage = 'eom_close'
    and from_stage is distinct from 'eom_review'
    and from_returning_to is distinct from 'eom_close'
    and trigger_type <> 'rollback';

-- The feed: of the firm, of an actor, of a stage.
create index stage_history_feed_idx on public.stage_history (epoch, xid, id);
create index stage_history_actor_feed_idx on public.stage_history (actor_id, epoch, xid, id);
create index stage_history_stage_feed_idx on public.stage_history (to_stage, epoch, xid, id)
  where to_stage is not null;

-- Rows without a hash: none after migrate.
create index stage_history_unhashed_idx on public.stage_history (client_id) where row_hash is null;

insert into public.atlas_migrations (id, note)
values ('013_stage_indexes', 'client stage: what lists, jobs, closes and the feed need to be fast');

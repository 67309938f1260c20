-- depends: 015_jobs_and_settings

-- The closes of a client: by the month that the opening names, and one after the other.
create index stage_history_close_month_idx on public.stage_history (client_id, (payload ->> 'period'))
  where to_stage = 'eom_close';
create index stage_history_close_idx on public.stage_history (client_id, version)
  where to_stage = 'eom_close';

-- The feed's order is that of transaction ids, which begin anew on another server: there `migrate` begins an epoch.
create table public.feed_epochs (
  epoch              integer     not null,
  system_identifier  bigint      not null,
  begun_at           timestamptz not null default now(),
  late_from_id       bigint,
  late_to_id         bigint,
  constraint feed_epochs_pkey primary key (epoch),
  constraint feed_epochs_late_check check ((late_from_id is null) = (late_to_id is null))
);
comment on table public.feed_epochs is
  'Which server''s transaction ids stage_history.xid has: an epoch begins where the database came to another server.';
comment on column public.feed_epochs.system_identifier is 'Whose ids they are, as pg_control_system() says.';
comment on column public.feed_epochs.late_from_id is
  'The first history row that this server wrote before its epoch was begun; late_to_id: the last one.';
insert into public.feed_epochs (epoch, system_identifier)
select 1, system_identifier from pg_control_system();
grant select on public.feed_epochs to atlas_owner;

-- Defaults, so that no row is rewritten: all that is there is of the first epoch, and when it was written nobody noted.
alter table public.stage_history
  add column epoch       integer     not null default 1,
  add column recorded_at timestamptz;
alter table public.stage_history alter column recorded_at set default clock_timestamp();
comment on column public.stage_history.xid is
  'The change''s transaction. (epoch, xid) is the same for the rows of one transaction, and for no others, for good.';
comment on column public.stage_history.epoch is 'See feed_epochs; its default is the present epoch.';
comment on column public.stage_history.recorded_at is
  'When the row was written, while occurred_at is when its transaction began; null before there was this column.';

create index stage_history_feed_idx on public.stage_history (epoch, xid, id);
create index stage_history_actor_feed_idx on public.stage_history (actor_id, epoch, xid, id);
create index stage_history_stage_feed_idx on public.stage_history (to_stage, epoch, xid, id) where to_stage is not null;

-- Who carries a flag, in order of id.
create index clients_flagged_idx on public.clients (id) where flags <> '{}';
create index clients_flagged_stage_idx on public.clients (stage, id) where flags <> '{}';

insert into public.atlas_migrations (id, note)
values ('016_feed_and_closes', 'client stage: the feed of changes, closes, what lists need to be quick');

-- depends: 026_removals_on_record

-- Administration is chained like history: each record to the one before it of the same table and key. No common end of
-- a chain, no lock at the commit.
-- squawk-ignore-file require-concurrent-index-creation, require-concurrent-index-deletion, ban-drop-column
-- squawk-ignore-file adding-not-nullable-field, constraint-missing-not-valid, disallowed-unique-constraint
-- squawk-ignore-file ban-drop-table, adding-field-with-default
drop table public.administration_chain;
revoke update (place) on public.administration_history from atlas_owner;
alter table public.administration_history
  drop column place,
  add column version bigint  not null default 0,
  add column epoch   integer not null default 1;
drop index public.administration_history_unchained_idx;

update public.administration_history as a
set version = numbered.version
from (
  select n.id, row_number() over (partition by n.about, n.key order by n.id) - 1 as version
  from public.administration_history as n
) as numbered
where numbered.id = a.id
  and numbered.version > 0;

-- The present epoch of the feed: see feed_epochs.
do $$
begin
  execute format(
    'alter table public.administration_history alter column epoch set default %s',
    (select max(e.epoch) from public.feed_epochs as e)
  );
end
$$;

drop index public.administration_history_key_idx;
alter table public.administration_history
  add constraint administration_history_key_version_uniq unique (about, key, version),
  add constraint administration_history_version_check check (version >= 0);
comment on column public.administration_history.version is
  'The number of the record within its table and key: 0, 1, 2 … without a gap.';
comment on column public.administration_history.epoch is 'See feed_epochs; its default is the present epoch.';
comment on column public.administration_history.row_hash is
  'SHA-256 of this record and the row_hash of the same key''s record before: rules.administration_hash.';
comment on column public.stage_history.row_hash is
  'SHA-256 of this row and the row_hash of the client''s version before: rules.history_hash. Null until migrate.';

-- Programs that read JSON numbers as doubles, JavaScript among them, are exact up to 2^53.
alter table public.stage_history
  add constraint stage_history_id_check check (id <= 9007199254740992);
alter table public.administration_history
  add constraint administration_history_id_check check (id <= 9007199254740992);
alter table public.agent_permissions
  add constraint agent_permissions_id_check check (id <= 9007199254740992);
alter table public.erasures
  add constraint erasures_id_check check (id <= 9007199254740992);
alter table public.job_runs
  add constraint job_runs_id_check check (id <= 9007199254740992);

insert into public.atlas_migrations (id, note)
values ('027_evidence', 'client stage: administration chained by key, ids that every reader can hold');
